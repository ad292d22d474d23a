import GRDB
import Model
import TestSupport
import Testing

@testable import SyncClient

@Suite("Problems, conflicts, counters and uploads in the state")
struct StatusQueriesTests {
    let directory = TemporaryDirectory()
    let database: ClientDatabase
    let link = LinkID(rawValue: 1)

    init() throws {
        database = try ClientDatabase(path: directory.appending("state.db"))
    }

    func problem(_ path: String, _ code: ClientError.Code = .io) -> Problem {
        Problem(path: LocalPath(bytes: Array(path.utf8)), code: code, message: "can't do '\(path)'")
    }

    func time(_ seconds: Int64) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }

    func problems() throws -> [StoredProblem] {
        try database.read { try StatusQueries($0, link: link).problems() }
    }

    @Test("a problem met again keeps the time it began; another kind of problem begins anew")
    func problems() async throws {
        for (second, code) in [(1, ClientError.Code.io), (2, .io), (3, .diskFull)] as [(Int64, ClientError.Code)] {
            try database.write {
                try StatusQueries($0, link: link).note([problem("a", code)], at: time(second))
            }
        }
        #expect(try problems() == [StoredProblem(problem: problem("a", .diskFull), since: time(3), seen: time(3))])
        try database.write { try StatusQueries($0, link: link).note([problem("a", .diskFull)], at: time(9)) }
        #expect(try problems().first?.since == time(3))
        #expect(try problems().first?.seen == time(9))
    }

    @Test("what a later pass did not meet is forgotten")
    func solved() throws {
        try database.write {
            try StatusQueries($0, link: link).note([problem("a"), problem("b"), problem("c")], at: time(1))
            try StatusQueries($0, link: link).note([problem("b")], at: time(5))
            try StatusQueries($0, link: link).dropProblem(at: LocalPath(bytes: Array("c".utf8)))
        }
        #expect(try problems().map(\.problem.path.description) == ["a", "b"])
        try database.write { try StatusQueries($0, link: link).dropProblems(before: time(5)) }
        #expect(try problems().map(\.problem.path.description) == ["b"])
        #expect(try database.read { try StatusQueries($0, link: LinkID(rawValue: 2)).problems() }.isEmpty)
    }

    @Test("the newest conflicts come first, and old ones make room")
    func conflicts() throws {
        try database.write { connection in
            for number in 0..<(StatusQueries.conflictLimit + 5) {
                try StatusQueries(connection, link: link).note(
                    StoredConflict(
                        path: LocalPath(bytes: Array("\(number)".utf8)), kept: .root, time: time(Int64(number))))
            }
        }
        let newest = try database.read { try StatusQueries($0, link: link).conflicts(limit: 2) }
        #expect(newest.map(\.path.description) == ["1004", "1003"])
        let all = try database.read { try StatusQueries($0, link: link).conflicts(limit: .max) }
        #expect(all.count == StatusQueries.conflictLimit)
    }

    @Test("a pass replaces what the last one counted, and adds to the total")
    func counters() throws {
        try database.write { try CounterQueries($0).note(pass: ["files": 3, "bytes": 100]) }
        try database.write { try CounterQueries($0).note(pass: ["files": 2]) }
        #expect(
            try database.read { try CounterQueries($0).all() } == [
                "files": Counter(last: 2, total: 5), "bytes": Counter(last: 0, total: 100),
            ])
    }

    @Test("settings are kept, replaced and taken away")
    func settings() throws {
        try database.write { try CounterQueries($0).set("a", [1, 2]) }
        try database.write { try CounterQueries($0).set("a", [3]) }
        #expect(try database.read { try CounterQueries($0).setting("a") } == [3])
        try database.write { try CounterQueries($0).set("a", nil) }
        #expect(try database.read { try CounterQueries($0).setting("a") } == nil)
    }

    @Test("uploads under way come back byte for byte, oldest first")
    func uploads() throws {
        let uploads = (1...3).map { number in
            InFlightUpload(
                id: UploadID(high: 9, low: UInt64(number)), link: link, created: time(Int64(10 - number)),
                request: [UInt8](repeating: UInt8(number), count: number * 1000))
        }
        try database.write { connection in for upload in uploads { try UploadQueries(connection).put(upload) } }
        #expect(try database.read { try UploadQueries($0).all(of: link) } == uploads.reversed())
        try database.write { try UploadQueries($0).remove(uploads[1].id) }
        #expect(try database.read { try UploadQueries($0).all(of: link) } == [uploads[2], uploads[0]])
        #expect(try database.read { try UploadQueries($0).all(of: LinkID(rawValue: 2)) }.isEmpty)
    }

    @Test("a query that fails names the state, and can be asked again")
    func failures() throws {
        let error = #expect(throws: ClientError.self) {
            try database.write { connection in
                let query = try PreparedQuery(
                    "INSERT INTO upload (id, link, created, request) VALUES (?, 1, 1, NULL)", on: connection)
                query.bind(1, [1])
                try query.run()
            }
        }
        #expect(error?.code == .io)
        #expect(error?.message.contains("NOT NULL") == true)
        let malformed = #expect(throws: ClientError.self) {
            try database.read { connection in
                try PreparedQuery("SELECT x'0102' AS node", on: connection).first { row -> NodeID in
                    try row.identifier(0)
                }
            }
        }
        #expect(malformed?.code == .stateCorrupt)
        #expect(malformed?.message.contains("node") == true)
    }
}
