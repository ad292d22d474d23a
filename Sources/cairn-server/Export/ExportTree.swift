import Files
import Foundation
import Metadata
import Model

/// Writes a tree as it was at a revision as plain files.
struct ExportTree {
    /// What was written, and what could not be.
    struct Outcome {
        var files = 0
        var folders = 0
        var links = 0
        var bytes: UInt64 = 0
        var failures = 0
    }

    let database: any MetadataDatabase
    let contents: StoredContents
    let namespace: NamespaceID
    let revision: Revision
    let isDry: Bool
    /// Told of each entry in a dry run.
    let list: (String) -> Void
    /// Told of each entry that can't be written, and why.
    let fail: (String, any Error) -> Void

    private static let step = 500

    /// Writes everything below the root into a folder that is there, or for a dry run looks whether it could be. What fails
    /// is told and passed over.
    func callAsFunction(to destination: ExportPath) async throws -> Outcome {
        var outcome = Outcome()
        try await write(.root, "", to: destination, depth: 0, &outcome)
        return outcome
    }

    private func write(
        _ folder: NodeID, _ path: String, to destination: ExportPath, depth: Int, _ outcome: inout Outcome
    ) async throws {
        var after: NodeName?
        while true {
            let (namespace, revision, start) = (namespace, revision, after)
            let (entries, thinned) = try await database.read { connection in
                let entries = try NodeQueries(connection).children(
                    of: folder, in: namespace, after: start, limit: Self.step, at: revision)
                return (
                    entries, try VersionQueries(connection).thinned(among: entries.map(\.position), in: namespace)
                )
            }
            for entry in entries {
                let state = entry.state
                let name = "\(path)/\(state.name)"
                do {
                    try await write(
                        entry, name, isThinned: thinned.contains(entry.position),
                        to: destination.appending(state.name), depth: depth, &outcome)
                } catch {
                    outcome.failures += 1
                    fail(name, error)
                }
            }
            after = entries.last?.state.name
            if entries.count < Self.step { return }
        }
    }

    private func write(
        _ entry: NodeRecord, _ name: String, isThinned: Bool, to place: ExportPath, depth: Int,
        _ outcome: inout Outcome
    ) async throws {
        let state = entry.state
        if isDry { list(state.payload.isFolder ? name + "/" : name) }
        switch state.payload {
        case .folder:
            // Deeper than any path of the system can be: a circle, which only a damaged database has.
            guard depth < 4096 else { throw FilesError(.corruptData, "its folders lie in each other") }
            if !isDry { try place.makeFolder() }
            try await write(entry.node, name, to: place, depth: depth + 1, &outcome)
            outcome.folders += 1
        case .symlink(let target):
            if !isDry { try place.makeLink(to: target) }
            outcome.links += 1
        case .file(let content):
            guard !isThinned else { throw FilesError(.notFound, "the bytes of this version were given up") }
            if isDry { try await contents.look(at: content) } else { try await write(content, to: place) }
            outcome.files += 1
            outcome.bytes += content.size
        }
        if isDry { return }
        if case .symlink = state.payload {} else { try place.setMode(state.mode) }
        try place.setModified(state.modified)
    }

    /// Writes a file whole, or leaves none.
    private func write(_ content: Content, to place: ExportPath) async throws {
        let descriptor = try place.makeFile()
        defer { close(descriptor) }
        do {
            try await contents.read(content) { pieces in
                for piece in pieces { try Self.write(piece, to: descriptor, place) }
            }
        } catch {
            place.removeFile()
            throw error
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ place: ExportPath) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.write(descriptor, raw.baseAddress.map { $0 + done }, raw.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SafeFiles.failure(place.description) }
            done += count
        }
    }
}

extension NodeRecord {
    /// The version by its node and the revision that made it.
    fileprivate var position: ChangePosition { ChangePosition(revision: revision, node: node) }
}
