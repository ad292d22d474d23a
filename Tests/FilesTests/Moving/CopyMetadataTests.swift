import Metadata
import MetadataSQLite
import Model
import Synchronization
import TestSupport
import Testing

@testable import Files

@Suite("A copy of all metadata in another database")
struct CopyMetadataTests {
    private let folder = TemporaryDirectory()
    private let now = Timestamp(nanoseconds: 5)

    /// A workshop with something in every kind of table, and a database to copy it to.
    private func source() async throws -> Workshop {
        let shop = try await Workshop()
        let ada = try await shop.account("ada")
        for number in 0..<4 { try await shop.write("/f\(number % 2)", text("line \(number)", 3000), by: ada) }
        try await shop.database.write {
            try WorkProgressQueries($0).set([7], of: "scrub", at: Timestamp(nanoseconds: 1))
        }
        return shop
    }

    private func target() throws -> SQLiteMetadataDatabase {
        try SQLiteMetadataDatabase(path: folder.appending("copy.db"))
    }

    private func copy(_ source: any MetadataDatabase, to target: any MetadataDatabase) async throws -> [CopyMetadata
        .Table]
    {
        let shapes = try await source.read { try TableQueries($0).shapes() }
        return try await CopyMetadata(from: source, to: target, shapes: shapes, clock: ManualClock(now))()
    }

    /// Every row of every table but the mark.
    private func rows(_ database: any MetadataDatabase) async throws -> [String: [SQLRow]] {
        try await database.read { connection in
            let queries = TableQueries(connection)
            return try Dictionary(
                uniqueKeysWithValues: queries.shapes().map { shape in
                    (
                        shape.name,
                        try queries.rows(of: shape, after: nil, limit: 100_000).filter {
                            !$0.values.contains(.text("unfinished copy"))
                        }
                    )
                })
        }
    }

    @Test("has every row, and is taken for the present only when it is released")
    func all() async throws {
        let (shop, target) = (try await source(), try target())
        let tables = try await copy(shop.database, to: target)
        let wanted = try await rows(shop.database)
        #expect(try await rows(target) == wanted)
        #expect(tables.reduce(0) { $0 + $1.rows } == wanted.values.reduce(0) { $0 + $1.count })
        #expect(tables.contains { $0.name == "node" && $0.rows >= 4 })
        #expect(try await CopyMetadata.isUnfinished(target))
        #expect(try await !CopyMetadata.isUnfinished(shop.database))
        try await CopyMetadata.release(target, at: now)
        #expect(try await !CopyMetadata.isUnfinished(target))
        try await CopyMetadata.retire(shop.database, at: now)
        #expect(try await CopyMetadata.isUnfinished(shop.database))
    }

    @Test("tables that others refer to come first, and each has a key")
    func shapes() async throws {
        let shop = try await Workshop()
        let shapes = try await shop.database.read { try TableQueries($0).shapes() }
        let names = shapes.map(\.name)
        let (account, device) = (names.firstIndex(of: "account"), names.firstIndex(of: "device"))
        let (upload, items) = (names.firstIndex(of: "upload"), names.firstIndex(of: "upload_item"))
        #expect(account != nil && upload != nil)
        #expect(account ?? 0 < device ?? 0 && upload ?? 0 < items ?? 0)
        #expect(!names.contains("schema_version"))
        #expect(shapes.allSatisfy { !$0.key.isEmpty && Set($0.key).isSubset(of: $0.columns) })
        #expect(shapes.first { $0.name == "maintenance" }?.text == ["name"])
    }

    @Test("a database with accounts of its own is not written to")
    func occupied() async throws {
        let (shop, other) = (try await source(), try await Workshop())
        _ = try await other.account("bob")
        let before = try await rows(other.database)
        let error = await #expect(throws: FilesError.self) { try await copy(shop.database, to: other.database) }
        #expect(error?.code == .alreadyExists)
        #expect(try await rows(other.database) == before)
    }

    @Test("cut off before or after any of its steps it is begun anew, and is whole then")
    func cutOff() async throws {
        struct Cut: Error {}
        let shop = try await source()
        let wanted = try await rows(shop.database)
        let target = try target()
        var steps = 0
        while true {
            let count = Mutex(0)
            let limit = steps
            let hook = PortHook(before: { call in
                guard call == "write" else { return }
                let number = count.withLock { count in
                    defer { count += 1 }
                    return count
                }
                if number == limit { throw Cut() }
            })
            do {
                _ = try await copy(shop.database, to: WatchedDatabase(base: target, hook: hook))
                break
            } catch is Cut {
                steps += 1
                let isUnfinished = try await CopyMetadata.isUnfinished(target)
                #expect(steps == 1 || isUnfinished, "a part counts as the present")
            }
        }
        #expect(steps > 5)
        #expect(try await rows(target) == wanted)
    }

    @Test("a copy that differs in one row is no copy")
    func different() async throws {
        let (shop, target) = (try await source(), try target())
        let hook = PortHook(after: { [target] call in
            guard call == "write" else { return }
            try await target.write { try $0.execute("UPDATE node SET mode = 1 WHERE kind = 1 AND valid_from = 2", []) }
        })
        let error = await #expect(throws: FilesError.self) {
            try await copy(shop.database, to: WatchedDatabase(base: target, hook: hook))
        }
        #expect(error?.code == .corruptData)
        #expect(error?.message.contains("node") == true)
        #expect(try await CopyMetadata.isUnfinished(target))
    }
}
