import Blocks
import Metadata
import Model
import TestSupport
import Testing
import WireProtocol

@testable import Files

/// The collector against those who name what it is about to remove, in every order of their steps, without any window.
@Suite("The collector and uploads, in every order")
struct CollectionInterleavingTests {
    static let file = SampleFile(random: 700, seed: 7)

    /// A world in which a file was and all of its versions were given up.
    private func dying(condemned: Bool) async throws -> CollectionWorld.Remains {
        let world = try await CollectionWorld()
        #expect(Self.file.content.id.level == 1)
        try await world.deliver([Self.file.change("x", node: 1)], [Self.file], inline: true)
        try await world.forget(1, base: 1)
        if condemned {
            let report = try await world.collectAccounts()
            #expect(report.condemned == Self.file.blocks.count + Self.file.pages.count)
        }
        return try await world.end()
    }

    private static let collector: Exploration.Actor = { try await $0.collectAccounts() }

    private static let twice: Exploration.Actor = { world in
        try await world.collectAccounts()
        try await world.collectAccounts()
    }

    private static let upload: Exploration.Actor = { world in
        let revision = try await world.deliver([file.change("y", node: 2)], [file])
        #expect(revision == 3)
    }

    @Test("an upload that names condemned blocks")
    func condemnedUpload() async throws {
        try await Exploration(remains: dying(condemned: true)).run([Self.collector, Self.upload])
    }

    @Test("an upload that names blocks that nothing names while they are looked at, condemned and removed")
    func dyingUpload() async throws {
        try await Exploration(remains: dying(condemned: false)).run([Self.twice, Self.upload])
    }

    @Test("an upload whose blocks ride along although the account has them")
    func inlineUpload() async throws {
        try await Exploration(remains: dying(condemned: true)).run([
            Self.collector,
            { world in
                let file = CollectionInterleavingTests.file
                let revision = try await world.deliver([file.change("y", node: 2)], [file], inline: true)
                #expect(revision == 3)
            },
        ])
    }

    @Test("an upload whose page goes while its blocks stay")
    func page() async throws {
        let whole = SampleFile(random: 1500, seed: 8)
        let part = SampleFile(Array(whole.bytes.prefix(whole.blocks[..<5].reduce(0) { $0 + $1.length })))
        #expect(part.content.id.level == 1 && Set(part.blocks.map(\.id)).isSubset(of: whole.blocks.map(\.id)))
        let world = try await CollectionWorld()
        let changes = [part.change("part", node: 1), whole.change("whole", node: 2)]
        try await world.deliver(changes, [part, whole], inline: true)
        try await world.forget(1, base: 1)
        let report = try await world.collectAccounts()
        #expect(report.condemned == 1)
        try await Exploration(remains: world.end()).run([
            Self.collector,
            { world in
                let revision = try await world.deliver([part.change("again", node: 3)], [part])
                #expect(revision == 3)
            },
        ])
    }

    @Test("a mark in many transactions, while a version is made of another that is thinned")
    func smallSteps() async throws {
        let world = try await CollectionWorld()
        let files = (0..<3).map { SampleFile(random: 100, seed: UInt64($0)) } + [Self.file]
        for (number, file) in files.enumerated() {
            try await world.deliver(
                [file.change("f\(number)", node: UInt64(10 * (number + 1)))], [file], inline: true)
        }
        let remains = try await world.end()
        let mover: Exploration.Actor = { world in
            // A copy whose row comes before that of the original, which is given up as soon as the copy is there.
            let file = CollectionInterleavingTests.file
            try await world.deliver([file.change("copy", node: 5)], [file])
            try await world.deliver([NodeChange(node: Ids.node(40), base: Revision(4), state: nil)], [])
            try await world.thin()
        }
        try await Exploration(remains: remains, rows: 2).runWithOneSwitch([Self.collector, mover])
    }

    @Test("a large upload that sends its pages first and is complete at last")
    func windowedUpload() async throws {
        let upload: Exploration.Actor = { world in
            let file = CollectionInterleavingTests.file
            let upload = world.nextUpload()
            let item = WireProtocol.UploadItem(
                node: Ids.node(2), parent: .root, name: try NodeName("y"), size: file.content.size)
            _ = try await world.announce(UploadRequest(upload: upload, complete: false, items: [item]))
            let lacking = Set(
                try await StorePages(world.context)(file.encodedPages, of: upload, by: world.ada))
            let wanted = file.blocks.filter { lacking.contains($0.id) }
            if !wanted.isEmpty { _ = try await world.send(wanted, for: upload) }
            let revision = try await world.deliver([file.change("y", node: 2)], [file], upload: upload)
            #expect(revision == 3)
        }
        try await Exploration(remains: dying(condemned: true)).runWithOneSwitch([Self.collector, upload])
        try await Exploration(remains: dying(condemned: false)).runWithOneSwitch([Self.twice, upload])
    }

    @Test("a pending upload that is completed by its last block")
    func completion() async throws {
        let other = SampleFile(Array("the last block".utf8))
        let upload: Exploration.Actor = { world in
            let file = CollectionInterleavingTests.file
            let changes = [file.change("y", node: 2), other.change("z", node: 3)]
            let revision = try await world.deliver(changes, [file, other])
            #expect(revision == 3)
        }
        try await Exploration(remains: dying(condemned: true)).runWithOneSwitch([Self.twice, upload])
    }

    @Test("a file that is put as a whole")
    func put() async throws {
        let put: Exploration.Actor = { world in
            for _ in 0..<6 {
                do {
                    return try await world.put("/y", CollectionInterleavingTests.file.bytes)
                } catch let error as FilesError where error.code == .unavailable {}
            }
            throw CollectionWorld.NeverDone()
        }
        try await Exploration(remains: dying(condemned: true)).runWithOneSwitch([Self.twice, put])
        try await Exploration(remains: dying(condemned: false)).runWithOneSwitch([Self.twice, put])
    }

    @Test("an edit that shares pages with a version that is given up behind its back")
    func trust() async throws {
        let old = SampleFile(random: 14_000, seed: 3)
        #expect(old.content.id.level == 2)
        var bytes = old.bytes
        bytes[100] ^= 1
        let edited = SampleFile(bytes)
        #expect(!Set(edited.pages.map(\.id)).isDisjoint(with: old.pages.map(\.id)))
        let world = try await CollectionWorld()
        try await world.deliver([old.change("f", node: 1)], [old], inline: true)
        let remains = try await world.end()
        let short = SampleFile(Array("short".utf8))
        // An announcement may be replaced by the other one's, which is of the same node and device.
        try await Exploration(remains: remains, mayFail: [1]).runWithOneSwitch([
            { world in
                try await world.deliver([short.change("f", node: 1, base: 1)], [short], inline: true)
                try await world.thin()
                world.clock.advance(by: .seconds(1))
                try await world.collectAccounts()
                try await world.collectAccounts()
            },
            { world in
                // It foresees the revision that the other one will make, and sends what the old version does not have.
                let (pages, blocks) = (Set(old.pages.map(\.id)), Set(old.blocks.map(\.id)))
                let request = UploadRequest(
                    upload: world.nextUpload(), changes: [edited.change("f", node: 1, base: 2)],
                    pages: edited.pages.filter { !pages.contains($0.id) }.map(\.encoded),
                    blocks: edited.blocks.filter { !blocks.contains($0.id) })
                _ = try await world.announce(request)
            },
        ])
    }

    @Test("a collector that is killed before any of its steps, and another one after it")
    func killed() async throws {
        let remains = try await dying(condemned: true)
        let again: Exploration.Actor = { world in
            do { try await world.collectAccounts() } catch is Killed { try await world.collectAccounts() }
        }
        for step in stride(from: 1, through: 9, by: 2) {
            try await Exploration(remains: remains, kill: (actor: 0, step: step)).runWithOneSwitch([again, Self.upload])
        }
    }

    @Test("two collectors at once: the one that began first changes nothing any more")
    func twoCollectors() async throws {
        let remains = try await dying(condemned: true)
        let either: Exploration.Actor = { world in
            do { try await world.collectAccounts() } catch is CollectionSuperseded {}
        }
        try await Exploration(remains: remains).runWithOneSwitch([either, either])
    }
}
