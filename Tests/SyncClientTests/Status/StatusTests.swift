import Foundation
import Testing

@testable import SyncClient

@Suite("Progress and counts")
struct StatusTests {
    @Test("the share goes by bytes, else by files, and is unknown without either")
    func share() {
        let board = ProgressBoard()
        #expect(board.current.share == nil)
        board.begin(.sending, files: 4)
        board.advance(files: 1, bytes: 10)
        #expect(board.current.share == 0.25)
        board.begin(.receiving, files: 4, bytes: 100)
        #expect(board.current.filesDone == 0)
        board.advance(files: 1, bytes: 50)
        #expect(board.current.share == 0.5)
        board.reach(bytes: 40)
        #expect(board.current.bytesDone == 50)
        board.reach(bytes: 200)
        #expect(board.current.share == 1)
    }

    @Test("counts keep their names in the state and in JSON")
    func names() throws {
        var counts = PassCounts()
        counts.bytesSent = 1
        counts.bytesReceived = 2
        counts.blocksReused = 3
        counts.changesApplied = 4
        #expect(PassCounts(named: counts.named) == counts)
        #expect(counts.named["blocks_reused"] == 3)
        #expect(counts.named.count == 9)
        let json = try JSONEncoder().encode(counts)
        #expect(try JSONDecoder().decode(PassCounts.self, from: json) == counts)
        let names = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any]).keys
        #expect(Set(names) == Set(counts.named.keys))
    }

    @Test("traffic adds up, and a counter counts from any task")
    func traffic() async {
        let counter = TrafficCounter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    counter.sent(3)
                    counter.received(5)
                }
            }
        }
        #expect(counter.current == Traffic(sent: 300, received: 500, requests: 100))
        let half = Traffic(sent: 100, received: 100, requests: 50)
        #expect(counter.current - half + half == counter.current)
    }

    @Test("a note of a pass that can't be read says nothing")
    func passNote() throws {
        let folder = NSTemporaryDirectory() + "cairn-note-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try ClientDatabase(path: folder + "/state.sqlite")
        let link = LinkID(rawValue: 3)
        try database.write { try PassNote(ended: "now", problem: "p", code: "c").save($0, link: link) }
        #expect(try database.read { try PassNote.load($0, link: link) }?.problem == "p")
        try database.write { try CounterQueries($0).set("pass-3", [1, 2, 3]) }
        #expect(try database.read { try PassNote.load($0, link: link) } == nil)
        try database.write { try PassNote.remove($0, link: link) }
        #expect(try database.read { try CounterQueries($0).setting("pass-3") } == nil)
    }
}
