public import Model
public import WireProtocol

/// Earlier versions of what is on the server.
extension Client {
    /// All versions of what is and was at a path: who is there first, then who left it last.
    /// - Parameters:
    ///   - path: The path on the server.
    ///   - showsAll: Whether versions whose bytes are not kept are shown as well.
    /// - Returns: All pages in one.
    /// - Throws: ``ClientError``; `notOnServer` when there was never anything.
    public func versions(of path: RemotePath, showsAll: Bool) async throws -> VersionListing {
        var listing = try await server.versions(of: path, showsAll: showsAll)
        for index in listing.nodes.indices {
            while let next = listing.nodes[index].next {
                let node = listing.nodes[index].node
                let page = try await server.versions(of: path, showsAll: showsAll, node: node, before: next)
                guard let more = page.nodes.first else { break }
                listing.nodes[index].entries += more.entries
                listing.nodes[index].hidden += more.hidden
                listing.nodes[index].next = more.next
            }
        }
        return listing
    }

    /// What was removed from a folder, at any depth, the newest removal first.
    /// - Returns: whether there is more than `limit`.
    /// - Throws: ``ClientError``, and what `entry` throws.
    public func deleted(
        below path: RemotePath, limit: Int, entry: (DeletedEntry) throws -> Void
    ) async throws -> Bool {
        var (after, count): (String?, Int) = (nil, 0)
        repeat {
            let page = try await server.deleted(path, after: after, limit: min(1000, limit - count))
            try page.entries.forEach(entry)
            count += page.entries.count
            after = page.next
        } while after != nil && count < limit
        return after != nil
    }

    /// Names a version so that it stays; the present one for nil.
    public func pin(_ path: RemotePath, at point: String?, name: String) async throws -> PinEntry {
        try await server.pin(path, at: point, name: name)
    }

    /// Takes the name off a version, or off all versions of a file for nil.
    /// - Returns: how many were taken off.
    public func unpin(_ path: RemotePath, at point: String?) async throws -> Int {
        try await server.unpin(path, at: point).removed
    }

    /// Brings back one version of a file, or a folder with what it held.
    /// - Parameters:
    ///   - path: What to restore.
    ///   - point: A revision or a moment, as ``PastText`` gives it; nil for what it was when it was removed.
    ///   - target: Where it goes instead.
    ///   - isDry: Whether nothing is changed.
    /// - Returns: What was done.
    /// - Throws: ``ClientError``; `versionNotKept` for a file whose bytes of then were given up.
    public func restore(
        _ path: RemotePath, at point: String?, to target: RemotePath?, isDry: Bool
    ) async throws -> HistoryAnswer {
        try await server.restore(
            RestoreRequest(
                path: Self.encoded(path), at: point, to: target.map(Self.encoded), dryRun: isDry ? true : nil))
    }

    /// Brings a file, a folder or everything back to what it was.
    /// - Parameters:
    ///   - path: What to rewind; the root for everything.
    ///   - point: A revision or a moment, as ``PastText`` gives it.
    ///   - isDry: Whether nothing is changed.
    /// - Returns: What was done.
    /// - Throws: ``ClientError``.
    public func rewind(_ path: RemotePath, to point: String, isDry: Bool) async throws -> HistoryAnswer {
        try await server.rewind(RewindRequest(path: Self.encoded(path), at: point, dryRun: isDry ? true : nil))
    }

    /// Takes back what one device did.
    /// - Parameters:
    ///   - device: Its name or its id.
    ///   - path: Below which path; the root for everywhere.
    ///   - since: From when on, as ``PastText`` gives it.
    ///   - until: Until when; nil for the present.
    ///   - isDry: Whether nothing is changed.
    /// - Returns: What was done.
    /// - Throws: ``ClientError``.
    public func undo(
        device: String, below path: RemotePath, since: String, until: String?, isDry: Bool
    ) async throws -> HistoryAnswer {
        try await server.undo(
            UndoRequest(
                device: device, since: since, until: until, path: Self.encoded(path), dryRun: isDry ? true : nil))
    }

    private static func encoded(_ path: RemotePath) -> String { "/" + PercentEncoding.path(path) }
}
