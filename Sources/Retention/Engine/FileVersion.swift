public import Model

/// One version of a file: bytes that it had for some time. States that follow one another with the same bytes, as after a
/// rename or a change of the mode, are one version.
public struct FileVersion: Hashable, Sendable {
    /// The revision that brought these bytes.
    public var revision: Revision
    /// When that was.
    public var time: Timestamp
    /// When the file got other bytes or was deleted; nil for the present version.
    public var ended: Timestamp?
    /// The bytes.
    public var content: Content
    /// The device that brought them.
    public var device: DeviceID
    /// Whether a person pinned it, or one of the states that make it up.
    public var isPinned = false
    /// Whether these are the first bytes that the file ever had.
    public var isFirst = false
    /// Whether the present version has the same bytes: they stay, whatever becomes of this one.
    public var isPresentAgain = false
    /// How many bytes would be free if it went, as far as its neighbours tell; nil when nobody has looked.
    public var ownBytes: UInt64?
    /// The revisions that began the states which make it up and have ended.
    public var past: [Revision] = []
    /// The revision that ended it; nil for the present version.
    public var end: Revision?

    /// Makes a version of what is always known.
    public init(revision: Revision, time: Timestamp, ended: Timestamp?, content: Content, device: DeviceID) {
        self.revision = revision
        self.time = time
        self.ended = ended
        self.content = content
        self.device = device
    }

    /// Whether it is what the file is now.
    public var isCurrent: Bool { ended == nil }

    /// Makes the versions that are still kept, oldest first, of all states that a file ever had, in order.
    ///
    /// States whose bytes were given up make no version; that they were there still tells which was the first.
    public static func versions(of rows: [VersionRow]) -> [FileVersion] {
        var runs: [(version: FileVersion, isThinned: Bool)] = []
        var before: ContentID?
        for row in rows {
            defer { before = row.content?.id }
            guard let content = row.content else { continue }
            if before != content.id || runs.isEmpty {
                var version = FileVersion(
                    revision: row.from, time: row.began, ended: row.ended, content: content, device: row.device)
                version.isFirst = runs.isEmpty
                runs.append((version, true))
            }
            runs[runs.count - 1].version.extend(by: row)
            if !row.isThinned { runs[runs.count - 1].isThinned = false }
        }
        let present = rows.last.flatMap { $0.to == nil ? $0.content?.id : nil }
        return runs.filter { !$0.isThinned }.map { run in
            var version = run.version
            version.isPresentAgain = !version.isCurrent && version.content.id == present
            return version
        }
    }

    private mutating func extend(by row: VersionRow) {
        ended = row.ended
        end = row.to
        if row.isPinned { isPinned = true }
        if row.to != nil { past.append(row.from) }
    }
}
