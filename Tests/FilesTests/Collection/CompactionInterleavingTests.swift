import Blocks
import Metadata
import Model
import Storage
import TestSupport
import Testing

@testable import Files

/// Compaction and the removal of packs against those who read and append, in every order of their steps, without any window.
@Suite("Compaction, readers and appends, in every order")
struct CompactionInterleavingTests {
    private static let kept = SampleFile(random: 500, seed: 21)
    private static let fresh = SampleFile(random: 450, seed: 22)

    /// A world with a sealed pack of which little is in use.
    private func worn(packSize: Int) async throws -> CollectionWorld.Remains {
        let world = try await CollectionWorld(packSize: packSize)
        let garbage = SampleFile(random: 900, seed: 20)
        try await world.deliver(
            [garbage.change("garbage", node: 1), Self.kept.change("kept", node: 2)], [garbage, Self.kept], inline: true)
        try await world.forget(1, base: 1)
        for _ in 0..<2 { try await world.collectAccounts() }
        return try await world.end()
    }

    private static let tidy: Exploration.Actor = { world in
        for _ in 0..<2 { try await world.tidyPacks() }
    }

    private static let reader: Exploration.Actor = { world in
        let bytes = try await world.read("/kept")
        #expect(bytes == kept.bytes)
    }

    @Test("a reader gets what it looked up, although it was moved and its pack removed")
    func reader() async throws {
        let remains = try await worn(packSize: 20_000)
        try await Exploration(remains: remains, packSize: 20_000).run([Self.tidy, Self.reader])
    }

    @Test("a fetch of blocks gets what it looked up, although it was moved and its pack removed")
    func fetch() async throws {
        let remains = try await worn(packSize: 20_000)
        try await Exploration(remains: remains, packSize: 20_000).run([
            Self.tidy,
            { world in
                let names = CompactionInterleavingTests.kept.blocks.map(\.id)
                let blocks = try await FetchBlocks(world.context)(names, by: world.ada).all()
                #expect(blocks.map(\.id) == names)
            },
        ])
    }

    @Test("an append whose pack is sealed, found empty and removed before its place is noted")
    func append() async throws {
        // Packs so small that what compaction copies seals the pack of the append.
        let remains = try await worn(packSize: 700)
        try await Exploration(remains: remains, packSize: 700).run([
            { world in for _ in 0..<2 { try await world.tidyPacks() } },
            { world in
                let file = CompactionInterleavingTests.fresh
                let revision = try await world.deliver([file.change("fresh", node: 3)], [file], inline: true)
                #expect(revision == 3)
            },
        ])
    }

    @Test("an append by whose seal a pack is found empty that waits for its note")
    func twoAppends() async throws {
        let world = try await CollectionWorld(packSize: 400)
        let remains = try await world.end()
        let (one, two) = (SampleFile(random: 300, seed: 31), SampleFile(random: 300, seed: 32))
        try await Exploration(remains: remains, packSize: 400).run([
            { world in
                let revision = try await world.deliver([one.change("a", node: 3)], [one], inline: true)
                #expect(revision != nil)
            },
            { world in
                let revision = try await world.deliver([two.change("b", node: 4)], [two], inline: true)
                #expect(revision != nil)
                for _ in 0..<2 { try await world.tidyPacks() }
            },
        ])
    }

    @Test("a compaction that is killed before any of its steps, and another one after it")
    func killed() async throws {
        let remains = try await worn(packSize: 20_000)
        let again: Exploration.Actor = { world in
            do { try await CompactionInterleavingTests.tidy(world) } catch is Killed {
                try await CompactionInterleavingTests.tidy(world)
            }
        }
        for step in stride(from: 1, through: 17, by: 4) {
            try await Exploration(remains: remains, packSize: 20_000, kill: (actor: 0, step: step)).runWithOneSwitch([
                again, Self.reader,
            ])
        }
    }

    @Test("blocks that are condemned, removed, stored again and moved")
    func movedAndRemoved() async throws {
        let world = try await CollectionWorld(packSize: 20_000)
        let (garbage, file) = (SampleFile(random: 900, seed: 20), Self.kept)
        try await world.deliver(
            [garbage.change("garbage", node: 1), file.change("kept", node: 2)], [garbage, file], inline: true)
        try await world.forget(1, base: 1)
        for _ in 0..<2 { try await world.collectAccounts() }
        try await world.forget(2, base: 1)
        let remains = try await world.end()
        try await Exploration(remains: remains, packSize: 20_000).runWithOneSwitch([
            { world in
                for _ in 0..<2 { try await world.collectAccounts() }
                for _ in 0..<2 { try await world.tidyPacks() }
            },
            { world in
                let revision = try await world.deliver([file.change("again", node: 9)], [file])
                #expect(revision != nil)
            },
        ])
    }
}
