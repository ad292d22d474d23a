import Metadata
import MetadataConformance
import Model
import Testing

@Suite("Small values of the port")
struct RecordTests {
    @Test("a position comes back from its bytes, which order as positions do")
    func positions() {
        let positions = [
            ChangePosition(revision: .zero, node: .root),
            ChangePosition(revision: .zero, node: NodeID(high: .max, low: .max)),
            ChangePosition(revision: Revision(1), node: NodeID(high: 1, low: 0)),
            ChangePosition(revision: Revision(256), node: .root),
        ]
        #expect(positions.allSatisfy { ChangePosition(bytes: $0.bytes) == $0 && $0.bytes.count == 24 })
        for (one, next) in zip(positions, positions.dropFirst()) {
            #expect(one < next && !(next < one))
            #expect(one.bytes.lexicographicallyPrecedes(next.bytes))
        }
        #expect(ChangePosition(bytes: []) == nil)
        #expect(ChangePosition(bytes: [UInt8](repeating: 0, count: 25)) == nil)
    }

    @Test("a row gives what it holds, and says what it holds when asked for something else")
    func rows() throws {
        let row = SQLRow([.integer(5), .text("t"), .blob([1]), .null])
        #expect(try row.integer(0) == 5)
        #expect(try row.text(1) == "t")
        #expect(try row.blob(2) == [1])
        #expect(row.isNull(3) && !row.isNull(0))
        #expect(try row.optionalInteger(3) == nil)
        #expect(try row.optionalText(3) == nil)
        #expect(try row.optionalBlob(3) == nil)
        #expect(try row.optionalInteger(0) == 5)
        let error = #expect(throws: MetadataError(.corrupt, "")) { try row.integer(1) }
        #expect(error?.message == "column 1 of a row should hold a number but holds text")
        #expect(throws: MetadataError(.corrupt, "")) { try row.text(0) }
        #expect(throws: MetadataError(.corrupt, "")) { try row.blob(3) }
        #expect(throws: MetadataError(.corrupt, "")) { try row.optionalBlob(1) }
    }

    @Test("errors are equal by their codes and tell the cause")
    func errors() {
        #expect(MetadataError(.full, "a") == MetadataError(.full, "b", cause: "c"))
        #expect(MetadataError(.full, "a") != MetadataError(.io, "a"))
        #expect("\(MetadataError(.full, "a", cause: "c"))" == "a: c")
        #expect("\(MetadataError(.full, "a"))" == "a")
        let retryable = MetadataError.Code.allCases.filter { MetadataError($0, "").isRetryable }
        #expect(retryable == [.busy, .unavailable])
    }

    @Test("statements of a migration are filled in for each database")
    func dialects() {
        let statement = "CREATE TABLE t (a {integer}, b {bytes}){clustered}"
        #expect(SQLDialect.sqlite.render(statement) == "CREATE TABLE t (a INTEGER, b BLOB) STRICT, WITHOUT ROWID")
        #expect(SQLDialect.postgres.render(statement) == "CREATE TABLE t (a BIGINT, b BYTEA)")
        #expect(SQLDialect.sqlite.render("x{table}") == "x STRICT")
        #expect(SQLDialect.postgres.render("nothing") == "nothing")
        #expect(SQLDialect.sqlite.forUpdate.isEmpty && SQLDialect.postgres.forUpdate == " FOR UPDATE")
    }

    @Test("migrations are numbered from 1 without a gap, and every statement has words for every database")
    func migrations() {
        #expect(Schema.migrations.map(\.version) == Array(1...Schema.version))
        for statement in Schema.migrations.flatMap(\.statements) {
            for dialect in [SQLDialect.sqlite, .postgres] {
                #expect(!dialect.render(statement).contains("{"))
            }
        }
    }

    @Test("a history of steps has the version of its last one")
    func history() {
        let step = SchemaMigration(version: 1, name: "first", statements: ["CREATE TABLE t (a {integer}){table}"])
        #expect(SchemaHistory([step]).version == 1)
        #expect(Schema.history.version == Schema.version)
    }
}
