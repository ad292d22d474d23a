import ArgumentParser
import Blocks
import Files
import Foundation
import HTTPAPI
import Metadata
import Model
import Storage
import Testing

@testable import cairn_server

@Suite("How commands fail")
struct FailureTests {
    @Test(
        "errors of the use cases",
        arguments: [(FilesError.Code.alreadyExists, 73), (.notFound, 64), (.invalidRequest, 64)]
            as [(FilesError.Code, Int32)])
    func files(code: FilesError.Code, exit: Int32) {
        let failure = Failure(describing: FilesError(code, "what"))
        #expect(failure.code.rawValue == exit)
        #expect(failure.message == "what")
    }

    @Test(
        "errors of the database",
        arguments: [
            (MetadataError.Code.busy, 69), (.unavailable, 69), (.incompatible, 78), (.corrupt, 74), (.full, 74),
            (.io, 74),
        ] as [(MetadataError.Code, Int32)])
    func database(code: MetadataError.Code, exit: Int32) {
        let failure = Failure(describing: MetadataError(code, "what", cause: "why"))
        #expect(failure.code.rawValue == exit)
        #expect(failure.message.contains("why"), "who runs the server is told the cause")
    }

    @Test(
        "errors of the storage",
        arguments: [
            (StorageError.Code.inUse, 69), (.unavailable, 69), (.readOnly, 77), (.full, 74), (.io, 74), (.corrupt, 74),
        ] as [(StorageError.Code, Int32)])
    func storage(code: StorageError.Code, exit: Int32) {
        #expect(Failure(describing: StorageError(code, "what")).code.rawValue == exit)
    }

    @Test("system calls: permission is told apart from the rest")
    func systemCalls() {
        #expect(Failure(creating: "/a", EACCES).code == .permission)
        #expect(Failure(creating: "/a", EPERM).code == .permission)
        #expect(Failure(creating: "/a", ENOENT).code == .cannotCreate)
        #expect(Failure(creating: "/a", ENOSPC).message.hasPrefix("/a: "))
    }

    @Test("what a command throws becomes its exit code; what the parser understands is left to it")
    func reporting() async throws {
        let code = await #expect(throws: ExitCode.self) {
            try await Failure.reporting { throw Failure(.permission, "a test of the exit code") }
        }
        #expect(code?.rawValue == 77)
        await #expect(throws: ExitCode(5)) { try await Failure.reporting { throw ExitCode(5) } }
        await #expect(throws: ValidationError.self) { try await Failure.reporting { throw ValidationError("x") } }
        try await Failure.reporting {}
    }

    @Test("the counts of the store are shown under names that do not change")
    func samples() {
        var statistics = StorageStatistics()
        statistics.repairedRecords = 3
        statistics.regionFailures = ["/b": 2]
        let samples = statistics.samples
        #expect(samples.contains { $0.name == "cairn_storage_repaired_records_total" && $0.value == 3 })
        #expect(samples.contains { $0.labels == ["region": "/b"] && $0.value == 2 })
        #expect(samples.allSatisfy { $0.name.hasPrefix("cairn_storage_") })
        #expect(samples.allSatisfy { $0.name.hasSuffix("_total") == ($0.kind == .counter) })
    }
}
