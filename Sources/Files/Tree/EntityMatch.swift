public import Model

/// A condition on the content of a file, as `If-Match` and `If-None-Match` state it. It is checked within the commit.
public enum EntityMatch: Hashable, Sendable {
    /// Any file at all.
    case any
    /// A file with one of these contents.
    case contents(Set<ContentID>)

    /// Whether a file with this content meets the condition; nil stands for no file.
    public func matches(_ content: Content?) -> Bool {
        guard let content else { return false }
        return switch self {
        case .any: true
        case .contents(let ids): ids.contains(content.id)
        }
    }
}

/// What must hold of a file for a change to take place.
public struct Preconditions: Hashable, Sendable {
    /// The file must match; nil for no condition.
    public var ifMatch: EntityMatch?
    /// The file must not match; nil for no condition.
    public var ifNoneMatch: EntityMatch?

    /// Makes conditions; none by default.
    public init(ifMatch: EntityMatch? = nil, ifNoneMatch: EntityMatch? = nil) {
        self.ifMatch = ifMatch
        self.ifNoneMatch = ifNoneMatch
    }

    func check(_ content: Content?, _ path: RemotePath) throws(FilesError) {
        if let ifMatch, !ifMatch.matches(content) {
            throw FilesError(.preconditionFailed, "\(path) is not the version that the request is about")
        }
        if let ifNoneMatch, ifNoneMatch.matches(content) {
            throw FilesError(.preconditionFailed, "\(path) exists with a version that the request excludes")
        }
    }
}
