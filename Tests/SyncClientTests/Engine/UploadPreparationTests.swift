import Blocks
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("What goes into one commit")
struct UploadPreparationTests {
    let server = MemoryServer()

    /// Scans and reads a device's folder, and hands over what its plan wants to send.
    private func prepare(
        _ device: TestDevice, _ limits: EngineLimits = EngineLimits()
    ) async throws -> UploadPreparation {
        let link = try device.database.link(try await device.linkID())
        let folder = try LinkedFolder(link.record)
        let context = device.context(limits: limits)
        _ = try Scanner(folder: folder, link: link.record, database: device.database, clock: device.clock)
            .scan(.full, using: SystemRandomNumberGenerator())
        _ = try await ReadPhase(context: context, link: link, folder: folder).run(after: 0)
        let plan = try await PlanPhase(context: context, link: link.id).plan()
        return UploadPreparation(context: context, link: link, folder: folder, groups: plan.remote)
    }

    private func commits(_ preparation: UploadPreparation) throws -> [UploadPreparation.Outcome] {
        var outcomes: [UploadPreparation.Outcome] = []
        var next = 0
        let encoder = BlockEncoder()
        while next < preparation.groups.count {
            let outcome = try preparation.run(from: next, with: encoder)
            #expect(outcome.next > next)
            outcomes.append(outcome)
            next = outcome.next
        }
        return outcomes
    }

    @Test("a commit holds as many changes as are allowed, folders before what is in them")
    func changes() async throws {
        let device = try TestDevice("a", server)
        for number in 0..<23 { try device.write("dir/file \(number)", "number \(number)") }
        let outcomes = try commits(try await prepare(device, EngineLimits(changesInCommit: 10)))
        #expect(outcomes.map(\.upload.changes.count) == [10, 10, 4])
        #expect(outcomes[0].upload.changes[0].state?.payload == .folder)
        #expect(outcomes.allSatisfy { $0.upload.locations.count == $0.upload.blocks.count })
    }

    @Test("small contents ride along, larger ones are asked about, and equal bytes travel once")
    func inline() async throws {
        let device = try TestDevice("a", server)
        var generator = SeededGenerator(seed: 1)
        try device.write("small", "small")
        try device.write("same", "small")
        try device.write("empty", "")
        try device.write("large", generator.bytes(2 << 20))
        let upload = try #require(try commits(try await prepare(device)).first).upload
        #expect(upload.changes.count == 4)
        #expect(upload.blocks.map(\.length) == [5])
        #expect(upload.locations.count > 5)
        #expect(!upload.pages.isEmpty)
        #expect(upload.large.isEmpty)
        #expect(upload.contents.map(\.file.path.description).sorted() == ["large", "same", "small"])
    }

    @Test("a content above the window's bound makes a commit of its own, after what came before it")
    func large() async throws {
        let device = try TestDevice("a", server)
        var generator = SeededGenerator(seed: 2)
        for name in ["a", "b", "y", "z"] { try device.write(name, name) }
        try device.write("m", generator.bytes(2 << 20))
        let outcomes = try commits(try await prepare(device, EngineLimits(windowedFrom: 1 << 20)))
        let alone = try #require(outcomes.first { !$0.upload.large.isEmpty })
        #expect(alone.upload.changes.count == 1)
        #expect(alone.upload.pages.isEmpty)
        #expect(outcomes.reduce(0) { $0 + $1.upload.changes.count } == 5)
    }

    @Test("a file that changed since the plan is left out with its reason, and the others go")
    func unstable() async throws {
        let device = try TestDevice("a", server)
        for name in ["a", "b", "c"] { try device.write(name, name) }
        let preparation = try await prepare(device)
        try device.write("b", "b, but longer")
        let outcomes = try commits(preparation)
        #expect(outcomes.reduce(0) { $0 + $1.upload.changes.count } == 2)
        let problems = outcomes.flatMap(\.problems)
        #expect(problems.map(\.path.description) == ["b"])
        #expect(problems.first?.code == .unstable)
        #expect(outcomes.contains { $0.dirty == [.root] })
    }

    @Test("what was removed since the plan is left out too")
    func removed() async throws {
        let device = try TestDevice("a", server)
        for name in ["a", "b"] { try device.write(name, name) }
        let preparation = try await prepare(device)
        try device.remove("a")
        let outcomes = try commits(preparation)
        #expect(outcomes.reduce(0) { $0 + $1.upload.changes.count } == 1)
        #expect(outcomes.flatMap(\.problems).map(\.path.description) == ["a"])
    }
}
