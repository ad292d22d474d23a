import Metadata
import Testing

@testable import MetadataPostgreSQL

@Suite("What PostgreSQL says, in the words of the port")
struct ServerErrorTests {
    @Test(
        "every state has its meaning",
        arguments: [
            ("23505", .alreadyExists), ("23503", .constraint), ("23514", .constraint), ("22021", .constraint),
            ("42601", .constraint), ("42P01", .constraint), ("08P01", .constraint), ("40001", .busy),
            ("40P01", .busy), ("55P03", .busy), ("57014", .busy), ("53100", .full), ("XX001", .corrupt),
            ("57P01", .unavailable), ("08006", .unavailable), ("58030", .io), ("53200", .io), ("XX000", .io),
        ] as [(String, MetadataError.Code)])
    func meaning(_ state: String, _ code: MetadataError.Code) {
        let error = ServerError(state: state, message: "said").translated("'cairn' at a:1")
        #expect(error.code == code)
        #expect(error.message.contains("'cairn' at a:1") && error.cause == "PostgreSQL: said (\(state))")
    }

    @Test("conflicts with others are told from all else")
    func conflicts() {
        #expect(["40001", "40P01"].allSatisfy { ServerError(state: $0, message: "").isConflict })
        #expect(!["23505", "57014", "40002", ""].contains { ServerError(state: $0, message: "").isConflict })
    }

    @Test("a lock that was not to be had in time is no conflict by itself")
    func lockTimeout() {
        let error = ServerError(state: "55P03", message: "")
        #expect(error.isLockTimeout && !error.isConflict)
    }

    @Test("a server that is a standby, or starts, is told from one that refuses a statement")
    func standby() {
        #expect(["0A000", "25006", "57P03"].allSatisfy { ServerError(state: $0, message: "").refusesTransaction })
        #expect(!ServerError(state: "42601", message: "").refusesTransaction)
        #expect(ServerError(state: "25006", message: "").isReadOnly)
    }

    @Test("a plan that no longer answers as it did is stale, another missing feature is not")
    func stale() {
        #expect(ServerError(state: "0A000", message: "cached plan must not change result type").isStaleStatement)
        #expect(ServerError(state: "26000", message: "").isStaleStatement)
        #expect(!ServerError(state: "0A000", message: "not supported").isStaleStatement)
    }
}
