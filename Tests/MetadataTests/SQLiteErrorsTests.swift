import Metadata
import Testing

@testable import MetadataSQLite

@Suite("What SQLite says, in the words of the port")
struct SQLiteErrorsTests {
    @Test(
        "every code has its meaning",
        arguments: [
            (2067, .alreadyExists), (1555, .alreadyExists), (787, .constraint), (275, .constraint),
            (1299, .constraint), (3091, .constraint), (20, .constraint), (18, .constraint), (13, .full),
            (11, .corrupt), (267, .corrupt), (26, .corrupt), (5, .busy), (261, .busy), (517, .busy), (6, .busy),
            (14, .unavailable), (1038, .unavailable), (8, .unavailable), (3, .unavailable), (21, .unavailable),
            (10, .io), (778, .io), (1034, .io), (7, .io), (1, .io),
        ] as [(Int32, MetadataError.Code)])
    func codes(code: Int32, meaning: MetadataError.Code) {
        let error = SQLiteErrors.error(code: code, message: "what it said", path: "/data/metadata.db")
        #expect(error.code == meaning)
        #expect(error.message.contains("/data/metadata.db"))
        #expect(error.cause == "SQLite: what it said (\(code))")
    }

    @Test("what is no error of the database is passed on as it is")
    func others() {
        struct Other: Error, Equatable {}
        #expect(SQLiteErrors.translated(Other(), path: "p") as? Other == Other())
        let own = MetadataError(.notFound, "m", cause: "c")
        #expect((SQLiteErrors.translated(own, path: "p") as? MetadataError)?.cause == "c")
    }
}
