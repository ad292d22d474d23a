public import Model

/// A state that a file had from one revision to another, as the tree keeps it: what ``FileVersion`` is made of.
public struct VersionRow: Hashable, Sendable {
    /// The revision that began it.
    public let from: Revision
    /// The revision that ended it; nil for the present state.
    public let to: Revision?
    /// Its bytes; nil while the node was no file.
    public let content: Content?
    /// When it began.
    public let began: Timestamp
    /// When it ended; nil for the present state.
    public let ended: Timestamp?
    /// The device that began it.
    public let device: DeviceID
    /// Whether it is pinned.
    public let isPinned: Bool
    /// Whether its bytes were given up.
    public let isThinned: Bool

    /// Makes a row of its parts.
    public init(
        from: Revision, to: Revision?, content: Content?, began: Timestamp, ended: Timestamp?, device: DeviceID,
        isPinned: Bool, isThinned: Bool
    ) {
        self.from = from
        self.to = to
        self.content = content
        self.began = began
        self.ended = ended
        self.device = device
        self.isPinned = isPinned
        self.isThinned = isThinned
    }
}
