import ArgumentParser
import SyncClient

/// What a program that runs `cairn` learns from its exit code (sysexits.h where it has a word).
enum ExitStatus {
    static let waiting = ExitCode(1)
    static let damagedData = ExitCode(65)
    static let noInput = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let cannotCreate = ExitCode(73)
    static let inputOutput = ExitCode(74)
    static let temporary = ExitCode(75)
    static let protocolViolation = ExitCode(76)
    static let noPermission = ExitCode(77)

    /// The exit code of a failure.
    static func of(_ code: ClientError.Code) -> ExitCode {
        switch code {
        case .unreachable, .unavailable, .untrusted: unavailable
        case .notLoggedIn, .unauthorized, .wrongCredentials: noPermission
        case .usage: ExitCode(64)
        case .serverCorrupt, .blockMissing, .corrupt: damagedData
        case .notOnServer, .versionNotKept: noInput
        case .busy, .serverFull, .overQuota, .changedMeanwhile, .inUse, .unstable, .conflict, .superseded, .thawing:
            temporary
        case .protocolViolation, .rejected, .tooLarge: protocolViolation
        case .diskFull, .readOnly, .alreadyExists, .alreadyOnServer, .nameTooLong, .folderNotEmpty: cannotCreate
        case .permissionDenied, .io, .notFound, .notFolder, .stateCorrupt, .stateTooNew, .watchLimit: inputOutput
        default: waiting
        }
    }
}
