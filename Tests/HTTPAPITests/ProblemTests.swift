import Blocks
import Files
import Hummingbird
import Metadata
import Model
import Notifications
import Storage
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("Errors as problem documents")
struct ProblemTests {
    private func code(_ error: any Error) -> ProblemCode { Problem(describing: error).code }

    @Test("every code has a title, and a status of errors", arguments: ProblemCode.allCases)
    func codes(code: ProblemCode) {
        #expect((400..<600).contains(code.status))
        #expect(!code.title.isEmpty)
    }

    @Test("every code of the use cases has a problem of the same name", arguments: FilesError.Code.allCases)
    func files(code: FilesError.Code) {
        let problem = Problem(describing: FilesError(code, "what happened", retryAfter: 7, cause: "secret"))
        let words = problem.code.rawValue.split(separator: "_").joined()
        #expect(words == code.rawValue.lowercased())
        #expect(problem.detail == "what happened")
        #expect(problem.retryAfter == 7)
    }

    @Test(
        "storage errors",
        arguments: [
            (StorageError.Code.full, ProblemCode.storageFull), (.unavailable, .unavailable), (.readOnly, .unavailable),
            (.corrupt, .corruptData), (.notFound, .corruptData), (.io, .internal), (.inUse, .internal),
        ])
    func storage(code: StorageError.Code, expected: ProblemCode) {
        let problem = Problem(describing: StorageError(code, "/srv/region is broken", cause: "errno 5"))
        #expect(problem.code == expected)
        #expect(!problem.detail.contains("errno"))
        #expect(!problem.detail.contains("/srv/region"), "where things lie is for the log")
    }

    @Test(
        "database errors",
        arguments: [
            (MetadataError.Code.full, ProblemCode.storageFull), (.busy, .unavailable), (.unavailable, .unavailable),
            (.notFound, .notFound), (.alreadyExists, .alreadyExists), (.constraint, .invalidRequest),
            (.corrupt, .corruptData),
            (.io, .internal), (.incompatible, .internal),
        ])
    func database(code: MetadataError.Code, expected: ProblemCode) {
        let problem = Problem(describing: MetadataError(code, "a message", cause: "SELECT password"))
        #expect(problem.code == expected)
        #expect(!problem.detail.contains("SELECT"))
    }

    @Test("errors of the pure modules, and of what is around them")
    func others() {
        #expect(code(WireError(.truncated, "x")) == .invalidRequest)
        #expect(code(WireError(.tooLarge, "x")) == .tooLarge)
        #expect(code(BlocksError(.hashMismatch, "x")) == .hashMismatch)
        #expect(code(BlocksError(.corruptPage, "x")) == .invalidPage)
        #expect(code(BlocksError(.unknownKey, "x")) == .internal)
        #expect(code(NodeNameError.empty) == .invalidPath)
        #expect(code(PollError.overloaded) == .unavailable)
        #expect(code(PollError.refused(retryAfter: 7)) == .unavailable)
        #expect(Problem(describing: PollError.refused(retryAfter: 7)).retryAfter == 7)
        #expect(code(CancellationError()) == .unavailable)
        #expect(code(HTTPError(.notFound)) == .notFound)
        #expect(code(HTTPError(.contentTooLarge)) == .tooLarge)
        #expect(code(HTTPError(.badRequest)) == .invalidRequest)
        #expect(code(HTTPError(.internalServerError)) == .internal)
    }

    @Test("an error that nobody foresaw says nothing of the inside")
    func unforeseen() {
        struct Inside: Error { let secret = "the key" }
        let problem = Problem(describing: Inside())
        #expect(problem.code == .internal)
        #expect(problem.status == 500)
        #expect(!problem.detail.contains("key"))
    }
}
