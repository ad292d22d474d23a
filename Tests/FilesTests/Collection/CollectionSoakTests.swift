import Blocks
import Metadata
import Model
import Storage
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import Files

/// Devices that upload, edit, put, remove and read the same few contents, versions that are given up, and a collector
/// that is killed and begun anew at any step: in an order that a seed decides.
@Suite("A collector among many, at random")
struct CollectionSoakTests {
    /// Contents that meet each other's blocks.
    private static let contents: [SampleFile] = {
        let base = SeededBytes.of(9000, seed: 1)
        return [
            SampleFile(Array(base[..<300])), SampleFile(Array(base[..<2000])), SampleFile(Array(base[1000..<4000])),
            SampleFile(base), SampleFile(Array(base[..<5000]) + Array(base[5100...])),
            SampleFile(Array("a few bytes".utf8)), SampleFile(SeededBytes.of(12_000, seed: 2)),
        ]
    }()

    /// What one device knows of its own files.
    private struct Device {
        let number: UInt64
        var random: SeededGenerator
        var files: [NodeID: (name: String, revision: UInt64, content: Int)] = [:]
        var made: UInt64 = 0

        mutating func act(_ world: CollectionWorld) async throws {
            let content = Int.random(in: 0..<CollectionSoakTests.contents.count, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4: try await create(content, world)
            case 4..<6: try await edit(content, world)
            case 6..<8: try await remove(world)
            case 8: try await put(content, world)
            default: try await read(world)
            }
            if Int.random(in: 0..<3, using: &random) == 0 { try await world.thin() }
        }

        private mutating func create(_ content: Int, _ world: CollectionWorld) async throws {
            made += 1
            let node = number * 1000 + made
            let name = "d\(number)-\(made)"
            let file = CollectionSoakTests.contents[content]
            let revision = try await world.deliver(
                [file.change(name, node: node)], [file], inline: Bool.random(using: &random))
            files[Ids.node(node)] = (name, try #require(revision), content)
        }

        private mutating func edit(_ content: Int, _ world: CollectionWorld) async throws {
            guard let (node, old) = files.min(by: { $0.key < $1.key }) else { return }
            let file = CollectionSoakTests.contents[content]
            let change = NodeChange(node: node, base: Revision(old.revision), state: file.state(old.name))
            let revision = try await world.deliver([change], [file], inline: Bool.random(using: &random))
            files[node] = (old.name, try #require(revision), content)
        }

        private mutating func remove(_ world: CollectionWorld) async throws {
            guard let (node, old) = files.max(by: { $0.key < $1.key }) else { return }
            try await world.deliver([NodeChange(node: node, base: Revision(old.revision), state: nil)], [])
            files[node] = nil
        }

        private func put(_ content: Int, _ world: CollectionWorld) async throws {
            do {
                try await world.put("/put-\(number)", CollectionSoakTests.contents[content].bytes, parts: 700)
            } catch let error as FilesError where error.code == .unavailable || error.code == .conflict {
                // What it had stored was collected: the user tries again.
            }
        }

        private func read(_ world: CollectionWorld) async throws {
            guard let (_, file) = files.min(by: { $0.key < $1.key }) else { return }
            #expect(try await world.read("/\(file.name)") == CollectionSoakTests.contents[file.content].bytes)
        }
    }

    @Test("nothing that is kept is ever lost, and nothing else stays", arguments: Array(1...6) as [UInt64])
    func soak(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var devices = (1...3).map { Device(number: $0, random: SeededGenerator(seed: seed * 100 + $0)) }
        var remains: CollectionWorld.Remains?
        var totals = CollectionReport()
        var kills = 0
        var era = 0
        // On until everything has happened that is to be survived.
        while era < 4 || (era < 20 && (kills == 0 || totals.isIdle)) {
            era += 1
            let world = try await CollectionWorld(
                remains, seed: seed * 10 + UInt64(era), packSize: [900, 4000, 30_000].random(&random),
                rows: [10, 40, 500].random(&random))
            let states = devices.map { Cell($0) }
            let faults = Mutex<[String]>([])
            let report = Mutex(CollectionReport())
            var actors: [@Sendable () async -> Void] = []
            for (index, state) in states.enumerated() {
                actors.append {
                    var device = state.value.withLock { $0 }
                    for _ in 0..<25 {
                        do { try await device.act(world) } catch {
                            faults.withLock { $0.append("device \(index): \(error)") }
                        }
                        state.value.withLock { $0 = device }
                    }
                }
            }
            let working = Atomic(true)
            actors.append {
                while working.load(ordering: .relaxed) {
                    world.clock.advance(by: .milliseconds(1))
                    do {
                        let done = try await world.collect()
                        report.withLock { $0.add(done) }
                    } catch is Killed {
                    } catch {
                        faults.withLock { $0.append("collector: \(error)") }
                    }
                }
            }
            var killsHere = 0
            await world.schedule.run(actors) { steps in
                if steps.count == 1 { working.store(false, ordering: .relaxed) }
                // A run has many more steps than an upload: it gets most of the turns.
                let isCollecting = steps[3] != nil && Int.random(in: 0..<4, using: &random) > 0
                guard let actor = isCollecting ? 3 : steps.keys.sorted().randomly(&random) else { return nil }
                let isKilled = actor == 3 && Int.random(in: 0..<600, using: &random) == 0
                killsHere += isKilled ? 1 : 0
                return (actor, isKilled)
            }
            kills += killsHere
            #expect(faults.withLock { $0 } == [])
            #expect(try await world.faults() == [])
            devices = states.map { $0.value.withLock { $0 } }
            totals.add(report.withLock { $0 })
            remains = try await world.end()
        }
        // What a run that was killed did is not in its report.
        #expect(kills > 0 && !totals.isIdle, "\(kills) kills, \(totals)")
        try await settle(try #require(remains), devices)
    }

    /// At last, with all versions but the newest given up.
    private func settle(_ remains: CollectionWorld.Remains, _ devices: [Device]) async throws {
        let world = try await CollectionWorld(remains)
        try await world.thin()
        try await world.comeToRest()
        #expect(try await world.faults() == [])
        #expect(try await world.leaks() == [])
        for device in devices {
            for file in device.files.values {
                #expect(try await world.read("/\(file.name)") == Self.contents[file.content].bytes)
            }
        }
        let last = try await world.collector()(dryRun: true)
        let framed = try await world.inventory().blocks.values.reduce(0) { $0 + Int($1.length) + 24 }
        let grows = Double(CollectionWorld.packSize)
        #expect(Double(last.storedBytes) <= 1.15 * Double(framed) + grows, "\(last)")
    }
}

/// A value that several actors hold.
private final class Cell<Value: Sendable>: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }
}

extension Array {
    fileprivate func randomly(_ random: inout SeededGenerator) -> Element? {
        isEmpty ? nil : self[Int.random(in: 0..<count, using: &random)]
    }

    fileprivate func random(_ random: inout SeededGenerator) -> Element {
        self[Int.random(in: 0..<count, using: &random)]
    }
}
