public import Model

/// A region as the database remembers it.
public struct RegionRecord: Hashable, Sendable {
    /// The region, as the mark at its place says.
    public let id: RegionID
    /// Where it was seen last.
    public let path: String
    /// When it became one.
    public let added: Timestamp

    /// Makes a record of its parts.
    public init(id: RegionID, path: String, added: Timestamp) {
        self.id = id
        self.path = path
        self.added = added
    }
}
