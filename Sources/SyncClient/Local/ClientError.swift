import CLinux
import Glibc

/// Why the client could not do something.
public struct ClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name of a kind of failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The name itself, in lower camel case.
        public let rawValue: String

        /// Takes a name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// There is nothing at that place.
        public static let notFound = Code(rawValue: "notFound")
        /// Something else has that name.
        public static let alreadyExists = Code(rawValue: "alreadyExists")
        /// The user may not do that there.
        public static let permissionDenied = Code(rawValue: "permissionDenied")
        /// The disk, or the user's share of it, is full.
        public static let diskFull = Code(rawValue: "diskFull")
        /// The file system can't be written.
        public static let readOnly = Code(rawValue: "readOnly")
        /// The file system does not take a name of that length.
        public static let nameTooLong = Code(rawValue: "nameTooLong")
        /// What should be a folder is none (or a symbolic link).
        public static let notFolder = Code(rawValue: "notFolder")
        /// A folder that is to go still holds something.
        public static let folderNotEmpty = Code(rawValue: "folderNotEmpty")
        /// The linked folder is not the one that was linked: it is unmounted, replaced or gone.
        public static let folderReplaced = Code(rawValue: "folderReplaced")
        /// What lies at that place is not what was seen there before.
        public static let changedMeanwhile = Code(rawValue: "changedMeanwhile")
        /// Another program has the file open for writing.
        public static let inUse = Code(rawValue: "inUse")
        /// The file was written to while it was read.
        public static let unstable = Code(rawValue: "unstable")
        /// The kernel gives out no more watches.
        public static let watchLimit = Code(rawValue: "watchLimit")
        /// A block that a file needs is not at hand.
        public static let blockMissing = Code(rawValue: "blockMissing")
        /// Bytes are not what their name promises.
        public static let corrupt = Code(rawValue: "corrupt")
        /// The state was written by a newer version of the client.
        public static let stateTooNew = Code(rawValue: "stateTooNew")
        /// The state can't be read.
        public static let stateCorrupt = Code(rawValue: "stateCorrupt")
        /// The system refused for another reason.
        public static let io = Code(rawValue: "io")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What failed, with the name of the thing, for people.
    public let message: String
    /// The error number of the system call; 0 where none was at fault.
    public let errno: Int32
    /// How long the server asked to be left alone; nil when it did not.
    public private(set) var retryAfter: Duration?

    /// Makes an error of its parts.
    public init(_ code: Code, _ message: String, errno: Int32 = 0) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    /// The same error of a server that asked to be left alone for a while.
    func retrying(after pause: Duration?) -> ClientError {
        var error = self
        error.retryAfter = pause
        return error
    }

    /// The message.
    public var description: String { message }
}

extension ClientError {
    /// The error of a system call that failed: `doing` names the act, `path` the thing.
    static func system(_ doing: String, _ path: LocalPath, errno number: Int32) -> ClientError {
        let reason = String(cString: strerror(number))
        return ClientError(Code(errno: number), "can't \(doing) '\(path)': \(reason)", errno: number)
    }
}

extension ClientError.Code {
    /// The kind of failure that an error number stands for.
    init(errno number: Int32) {
        self =
            switch number {
            case ENOENT: .notFound
            case EEXIST: .alreadyExists
            case EACCES, EPERM: .permissionDenied
            case ENOSPC, EDQUOT, EFBIG: .diskFull
            case EROFS: .readOnly
            case ENAMETOOLONG: .nameTooLong
            case ENOTDIR, ELOOP: .notFolder
            case ENOTEMPTY: .folderNotEmpty
            case EBUSY, ETXTBSY: .inUse
            default: .io
            }
    }

    /// Whether what is at fault is the whole disk rather than one file.
    var concernsDisk: Bool { self == .diskFull || self == .readOnly }
}
