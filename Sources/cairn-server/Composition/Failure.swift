import ArgumentParser
import Blocks
import Files
import Foundation
import MessagingLocal
import Metadata
import NIOCore
import NotificationReactor
import Storage
import StorageS3

/// Why a command ends, with the exit code (sysexits.h) that says so to scripts.
struct Failure: Error {
    /// The exit codes that are used; the help lists them.
    enum Code: Int32 {
        case usage = 64
        case unavailable = 69
        case cannotCreate = 73
        case inputOutput = 74
        case permission = 77
        case configuration = 78
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The failure of a system call on a file.
    init(creating path: String, _ error: Int32) {
        let reason = String(cString: strerror(error))
        self.init(error == EACCES || error == EPERM ? .permission : .cannotCreate, "\(path): \(reason)")
    }

    /// What an error of any layer means for a command.
    init(describing error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as FilesError:
            self.init(error.code == .alreadyExists ? .cannotCreate : .usage, error.message)
        case let error as MetadataError: self.init(Self.code(of: error), "\(error)")
        case let error as StorageError: self.init(Self.code(of: error), "\(error)")
        case let error as S3ConfigurationError: self.init(.configuration, "storage.regions: \(error)")
        case let error as BlocksError: self.init(.configuration, error.message)
        case let error as BusSocketError: self.init(.unavailable, error.message)
        case let error as ReactorError: self.init(.unavailable, error.description)
        case let error as IOError:
            self.init(error.errnoCode == EACCES ? .permission : .unavailable, "\(error)")
        default: self.init(.unavailable, "\(error)")
        }
    }

    private static func code(of error: MetadataError) -> Code {
        switch error.code {
        case .busy, .unavailable: .unavailable
        case .incompatible: .configuration
        default: .inputOutput
        }
    }

    private static func code(of error: StorageError) -> Code {
        switch error.code {
        case .unavailable, .inUse, .notFound, .frozen: .unavailable
        case .readOnly: .permission
        case .corrupt, .full, .io: .inputOutput
        }
    }

    /// Runs a command; what it throws is told on standard error, and becomes the exit code.
    static func reporting(_ command: () async throws -> Void) async throws {
        // Whatever a command makes is its owner's alone: the database holds hashes of passwords and tokens.
        umask(0o077)
        do {
            try await command()
        } catch let error as ExitCode {
            throw error
        } catch let error as ValidationError {
            throw error
        } catch {
            let failure = Failure(describing: error)
            Output.note("cairn-server: \(failure.message)")
            throw ExitCode(failure.code.rawValue)
        }
    }
}
