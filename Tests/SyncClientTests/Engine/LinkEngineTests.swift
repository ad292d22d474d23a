import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import SyncClient

@Suite("What is remembered of passes")
struct LinkEngineTests {
    let server = MemoryServer()

    private func engine(_ device: TestDevice, _ link: LinkID) throws -> LinkEngine {
        try LinkEngine(
            link: link, folder: device.folder.path, home: ClientHome(folder: device.home.path),
            meter: TrafficMeter(server)
        ) { device.context() }
    }

    private func note(_ device: TestDevice, _ link: LinkID) throws -> PassNote? {
        try device.database.read { try PassNote.load($0, link: link) }
    }

    private func problems(_ device: TestDevice, _ link: LinkID) throws -> [StoredProblem] {
        try device.database.read { try StatusQueries($0, link: link).problems() }
    }

    @Test("a pass that fails is noted with its reason; the next good one clears it")
    func failures() async throws {
        let device = try TestDevice("a", server)
        let link = try await device.linkID()
        let engine = try engine(device, link)
        server.setFault { _, _, _ in throw ClientError(.unreachable, "the line is cut") }
        #expect(await failure { try await engine.pass(PassOptions()) } == .unreachable)
        #expect(try note(device, link)?.problem == "the line is cut")
        #expect(try note(device, link)?.code == "unreachable")
        server.setFault(nil)
        let result = try await engine.pass(PassOptions()).result
        #expect(result.isInSync)
        #expect(try note(device, link)?.problem == nil)
        #expect(try note(device, link)?.ended != nil)
    }

    @Test("a file that waits is named until it waits no more")
    func waiting() async throws {
        let device = try TestDevice("b", server)
        let other = try TestDevice("a", server)
        try other.write("lost", "bytes that get lost")
        try await other.sync()
        let blocks = server.state.withLock { state in
            defer { state.blocks = [:] }
            return state.blocks
        }
        let link = try await device.linkID()
        let engine = try engine(device, link)
        let result = try await engine.pass(PassOptions()).result
        #expect(!result.isInSync)
        #expect(result.waiting.map(\.path) == ["lost"])
        #expect(try problems(device, link).count == 1)
        server.state.withLock { $0.blocks = blocks }
        let partial = PassOptions(scope: .folders([]), verifiesHistory: false, recovers: false)
        #expect(try await engine.pass(partial).result.isInSync)
        #expect(try problems(device, link).isEmpty)
        #expect(device.read("lost") == "bytes that get lost")
    }

    @Test("counters hold the last pass and the sum of all")
    func counters() async throws {
        let device = try TestDevice("a", server)
        let link = try await device.linkID()
        let engine = try engine(device, link)
        try device.write("one", "1")
        #expect(try await engine.pass(PassOptions()).result.counts.changesSent == 1)
        try device.write("two", "2")
        try device.write("three", "3")
        _ = try await engine.pass(PassOptions())
        let counters = try device.database.read { try CounterQueries($0).all() }
        #expect(PassCounts(named: counters.mapValues(\.last)).changesSent == 2)
        #expect(PassCounts(named: counters.mapValues(\.total)).changesSent == 3)
        #expect(PassCounts(named: counters.mapValues(\.total)).requests > 2)
    }

    @Test("a folder that was replaced is taken for the linked one at the user's word only")
    func replaced() async throws {
        let device = try TestDevice("a", server)
        try device.write("file", "text")
        let link = try await device.linkID()
        let engine = try engine(device, link)
        _ = try await engine.pass(PassOptions())
        let away = device.folder.path + "-away"
        try FileManager.default.moveItem(atPath: device.folder.path, toPath: away)
        defer { try? FileManager.default.removeItem(atPath: away) }
        try FileManager.default.createDirectory(atPath: device.folder.path, withIntermediateDirectories: false)
        try device.write("file", "text")
        #expect(await failure { try await engine.pass(PassOptions()) } == .folderReplaced)
        let result = try await engine.pass(PassOptions(confirmsDeletions: true)).result
        #expect(result.isInSync)
        #expect(server.state.withLock { $0.journal.tree.count } == 1)
    }

    @Test("a second engine on the same link is refused while the first lives")
    func busy() async throws {
        let device = try TestDevice("a", server)
        let link = try await device.linkID()
        let first = try engine(device, link)
        #expect(await failure { try engine(device, link) } == .busy)
        withExtendedLifetime(first) {}
    }

    @Test("traffic is divided among passes without loss")
    func meter() async throws {
        let meter = TrafficMeter(server)
        #expect(meter.take() == Traffic())
        _ = try await server.missing(of: [])
        _ = try await server.missing(of: [])
        #expect(meter.take().requests == 2)
        #expect(meter.take().requests == 0)
    }
}
