import Glibc

/// Why a reactor can't begin or go on.
public enum ReactorError: Error, Hashable, CustomStringConvertible {
    /// The system refused something: what it was, and its `errno`.
    case system(String, Int32)
    /// The limit of open files leaves no room for connections.
    case tooFewFiles(Int)
    /// More threads than a reactor may have would be needed for the capacity under the limit of open files.
    case tooManyThreads(Int)

    /// What happened, for people.
    public var description: String {
        switch self {
        case .system(let what, let number): "\(what): \(String(cString: strerror(number)))"
        case .tooFewFiles(let limit): "a limit of \(limit) open files leaves no room for connections"
        case .tooManyThreads(let count): "the capacity would take \(count) threads; raise the limit of open files"
        }
    }
}
