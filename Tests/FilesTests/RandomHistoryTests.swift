import Blocks
import Files
import Metadata
import Model
import Storage
import StorageConformance
import TestSupport
import Testing
import WireProtocol

/// Devices that upload, edit, move and remove at random, on regions that fail and servers that die, beside a model that
/// notes only what was acknowledged. Whatever happens, the acknowledged is there, and nothing else is.
@Suite("Histories at random")
struct RandomHistoryTests {
    /// What must be there.
    private struct Model {
        var files: [NodeID: (name: String, bytes: [UInt8], revision: UInt64)] = [:]
        var revision: UInt64 = 0
    }

    private struct World {
        var shop: Workshop
        let ada: Principal
        var random: SeededGenerator
        var model = Model()
        var nextNode: UInt64 = 1
        var nextUpload: UInt64 = 1
        var faults = 0
        var restarts = 0

        init(seed: UInt64) async throws {
            shop = try await Workshop(seed: seed)
            ada = try await shop.account()
            random = SeededGenerator(seed: seed)
        }

        mutating func step() async throws {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<45: try await create()
            case 45..<70: try await edit()
            case 70..<80: try await move()
            case 80..<87: try await remove()
            case 87..<93: shop.regions[0].plan.failedReads = 0
            default: try await restart()
            }
        }

        /// A file that shares some of its bytes with others.
        private mutating func bytes() -> [UInt8] {
            var common = SeededGenerator(seed: .random(in: 0..<4, using: &random))
            return common.bytes(.random(in: 0..<3000, using: &random))
                + random.bytes(.random(in: 0..<2000, using: &random))
        }

        private mutating func create() async throws {
            let node = Ids.node(nextNode)
            nextNode += 1
            let (name, bytes) = ("f\(nextNode)", bytes())
            let file = SampleFile(bytes)
            let change = NodeChange(node: node, base: .zero, state: file.state(name))
            let revision = try await commit(file, change)
            model.files[node] = (name, bytes, revision)
        }

        private mutating func edit() async throws {
            guard let (node, old) = model.files.randomElement(using: &random) else { return }
            var bytes = old.bytes
            let place = Int.random(in: 0...bytes.count, using: &random)
            bytes.insert(contentsOf: random.bytes(.random(in: 1..<50, using: &random)), at: place)
            let file = SampleFile(bytes)
            let change = NodeChange(node: node, base: Revision(old.revision), state: file.state(old.name))
            model.files[node] = (old.name, bytes, try await commit(file, change))
        }

        private mutating func move() async throws {
            guard let (node, old) = model.files.randomElement(using: &random) else { return }
            let name = "moved\(nextUpload)"
            let file = SampleFile(old.bytes)
            let change = NodeChange(node: node, base: Revision(old.revision), state: file.state(name))
            model.files[node] = (name, old.bytes, try await commit(nil, change))
        }

        private mutating func remove() async throws {
            guard let (node, old) = model.files.randomElement(using: &random) else { return }
            _ = try await commit(nil, NodeChange(node: node, base: Revision(old.revision), state: nil))
            model.files[node] = nil
        }

        private mutating func restart() async throws {
            restarts += 1
            shop = try await Workshop(after: shop, seed: 1000 + UInt64(restarts))
        }

        /// Sends a change as a device does: again and again until it is acknowledged, whatever fails meanwhile.
        private mutating func commit(_ file: SampleFile?, _ change: NodeChange) async throws -> UInt64 {
            let upload = Ids.upload(nextUpload)
            nextUpload += 1
            let ridesAlong = Bool.random(using: &random)
            let request = UploadRequest(
                upload: upload, changes: [change], pages: file?.encodedPages ?? [],
                blocks: ridesAlong ? file?.blocks ?? [] : [])
            if Int.random(in: 0..<4, using: &random) == 0 { shop.regions[0].plan.refusedChanges = 0.5 }
            defer { shop.regions[0].plan.refusedChanges = 0 }
            for attempt in 0..<100 {
                do {
                    if let revision = try await attemptOnce(request, file) {
                        model.revision += 1
                        #expect(revision == model.revision, "each acknowledged change is one revision")
                        return revision
                    }
                } catch is StorageError {
                    faults += 1
                    if attempt > 3 { shop.regions[0].plan.refusedChanges = 0 }
                    if attempt == 6 { try await restart() }
                }
            }
            throw NeverAcknowledged()
        }

        private func attemptOnce(_ request: UploadRequest, _ file: SampleFile?) async throws -> UInt64? {
            let outcome = try await shop.upload(request, by: ada)
            if let revision = outcome.revision { return revision }
            let missing = Set(try #require(outcome.missingBlocks))
            let wanted = (file?.blocks ?? []).filter { missing.contains($0.id) }
            for part in stride(from: 0, to: wanted.count, by: 5) {
                let answer = try await shop.send(
                    Array(wanted[part..<min(wanted.count, part + 5)]), for: request.upload, by: ada)
                if let revision = answer.outcome?.revision { return revision }
            }
            return nil
        }

        func check() async throws {
            let head = try await shop.head(of: ada)
            #expect(head.revision.number == model.revision)
            let entries = try await ListFolder(shop.context)(.root, limit: 10_000, in: ada.home, by: ada).entries
            #expect(Set(entries.map(\.node)) == Set(model.files.keys))
            for entry in entries {
                guard let expected = model.files[entry.node] else { continue }
                #expect(entry.state.name.description == expected.name)
                #expect(entry.revision.number == expected.revision)
                let read = try await shop.read("/\(expected.name)", by: ada)
                #expect(read == expected.bytes, "\(expected.name)")
            }
            #expect(try await ListPendingUploads(shop.context)(in: ada.home, by: ada).isEmpty)
        }
    }

    private struct NeverAcknowledged: Error {}

    @Test("what was acknowledged is there, after any failures and deaths", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func history(seed: UInt64) async throws {
        var world = try await World(seed: seed)
        for _ in 0..<60 { try await world.step() }
        try await world.check()
        world.shop = try await Workshop(after: world.shop, seed: 99)
        try await world.check()
        #expect(world.faults > 0 && world.restarts > 0, "a history without accidents shows nothing")
    }
}
