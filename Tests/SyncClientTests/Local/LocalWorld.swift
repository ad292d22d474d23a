import Blocks
import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport

@testable import SyncClient

/// A clock that runs some time before or after that of the machine: late enough, nothing just written is racy.
struct ShiftedClock: WallClock {
    var shift: Duration = .seconds(5)

    func now() -> Timestamp { SystemWallClock().now().advanced(by: shift) }
}

/// What a kill does to the client: it stops where it is.
struct Killed: Error {}

/// A linked folder with its state, on the real file system.
final class LocalWorld {
    let directory: TemporaryDirectory
    let root: String
    let database: ClientDatabase
    let link: LinkRecord
    var clock: any WallClock = ShiftedClock()
    var generator: SeededGenerator
    var revision: UInt64 = 0

    init(seed: UInt64 = 1, folder: String? = nil) throws {
        directory = TemporaryDirectory()
        root = folder ?? directory.appending("folder")
        if folder == nil { mkdir(root, 0o755) }
        database = try ClientDatabase(path: directory.appending("state.db"))
        generator = SeededGenerator(seed: seed)
        let path = LocalPath(bytes: Array(root.utf8))
        let identity = try LinkedFolder.identity(of: path)
        link = try database.writeDurably { connection in
            let id = try LinkQueries(connection).add(
                folder: path, remote: .root, namespace: NamespaceID(high: 1, low: 2), root: .root, identity: identity)
            return try LinkQueries(connection).record(id)!
        }
    }

    deinit {
        // Names that are no UTF-8, and paths longer than a call takes, are beyond the general removal.
        let top = try? OpenFile.folder(absolute: LocalPath(bytes: Array(directory.path.utf8)))
        for name in ["folder", "away", "outside"] { try? top?.removeAll(Array(name.utf8)) }
    }

    // MARK: Files, as other programs make them

    func path(_ name: String) -> String { "\(root)/\(name)" }

    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644, modified: Int64? = nil) {
        let file = fopen(path(name), "w")!
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
        chmod(path(name), mode)
        if let modified { cairn_set_times(AT_FDCWD, path(name), modified) }
    }

    func write(_ name: String, _ text: String) { write(name, Array(text.utf8)) }

    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    func makeFolder(_ name: String, mode: mode_t = 0o755) {
        mkdir(path(name), mode)
        chmod(path(name), mode)
    }

    func move(_ name: String, _ other: String) {
        precondition(Glibc.rename(path(name), path(other)) == 0, "\(name) -> \(other): \(errno)")
    }

    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: path(name)) }

    func names(_ folder: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []).sorted()
    }

    // MARK: The client

    var opened: LinkedFolder { get throws { try LinkedFolder(link) } }

    @discardableResult
    func scan(_ scope: ScanScope = .full) throws -> ScanReport {
        let seed = generator.next()
        return try Scanner(folder: opened, link: link, database: database, clock: clock)
            .scan(scope, using: SeededGenerator(seed: seed))
    }

    /// Reads all files that are unread; returns how many were.
    @discardableResult
    func readChanged() throws -> Int {
        let reader = ContentReader(folder: try opened, database: database, clock: clock)
        let unread = try database.read { try LocalQueries($0, link: link.id).unread(limit: .max) }
        for (_, record) in unread {
            guard let path = try path(of: record.node) else { continue }
            let reading = try reader.read(path, expecting: record.fingerprint, using: &generator)
            _ = try database.write {
                try LocalQueries($0, link: link.id).noteRead(
                    record.node, seen: record.fingerprint, content: reading.content,
                    fingerprint: reading.fingerprint, racy: reading.isRacy)
            }
        }
        return unread.count
    }

    func path(of node: NodeID) throws -> LocalPath? {
        try database.read { try LocalView($0, link: link.id).path(of: node, root: link.root) }
    }

    func node(_ name: String) throws -> NodeID? {
        try database.read {
            try LocalView($0, link: link.id).node(at: LocalPath(bytes: Array(name.utf8)), root: link.root)
        }
    }

    func record(_ node: NodeID) throws -> LocalRecord? {
        try database.read { try LocalView($0, link: link.id).record(of: node) }
    }

    var overlay: [NodeID: LocalNode] {
        get throws { try database.read { try LocalQueries($0, link: link.id).overlay() } }
    }

    /// Agrees on all that is on disk, as if the server had accepted it. Returns what was sent.
    @discardableResult
    func commit() throws -> [NodeID: RemoteNode] {
        revision += 1
        var sent: [NodeID: RemoteNode] = [:]
        for (node, local) in try overlay { sent[node] = RemoteNode(revision: Revision(revision), state: local.state) }
        try settle(sent)
        return sent
    }

    /// Scans, reads and agrees.
    @discardableResult
    func sync() throws -> [NodeID: RemoteNode] {
        try scan()
        try readChanged()
        return try commit()
    }

    func settle(_ nodes: [NodeID: RemoteNode]) throws {
        try database.write { connection in
            try LocalQueries(connection, link: link.id).settle(
                nodes.map { node, remote in
                    Plan.Settlement(
                        node: node,
                        record: remote.state.map { NodeRecord(node: node, revision: remote.revision, state: $0) })
                })
        }
    }

    func applier(_ hook: @escaping ApplierHook = { _ in }) throws -> Applier {
        try Applier(
            folder: opened, link: link, database: database, clock: clock,
            naming: ConflictNaming(device: "laptop", date: "2026-01-02"), hook: hook)
    }

    /// What was last seen of a node, as a plan would believe it.
    func believed(_ node: NodeID) throws -> LocalNode? {
        try record(node).flatMap { record in
            switch record.condition {
            case .present(let state): .present(state)
            case .parked(let state): .parked(state)
            case .removed: .removed
            case .unread: nil
            }
        }
    }

    /// An action on a node as it is believed to be.
    func action(_ node: NodeID, _ step: LocalAction.Step) throws -> LocalAction {
        LocalAction(node: node, before: try believed(node), step: step)
    }

    /// Builds a file of bytes in the staging area. Returns it with the state that it is of.
    func stage(
        _ applier: Applier, _ node: NodeID, _ name: String, _ text: String, parent: NodeID = .root, mode: UInt16 = 0o644
    ) throws -> (StagedFile, NodeState) {
        let bytes = Array(text.utf8)
        let state = NodeState(
            parent: parent, name: try NodeName(name), payload: .file(Self.content(bytes)), mode: mode,
            modified: Timestamp(nanoseconds: 1_600_000_000_123_456_789))
        let builder = try applier.build(node, state)
        try bytes.withUnsafeBytes { try builder.write($0, at: 0) }
        return (try builder.finish(), state)
    }

    static func content(_ bytes: [UInt8]) -> Content {
        Content(id: ContentID(level: 0, digest: SHA256Hasher.digest(of: bytes)), size: UInt64(bytes.count))
    }

    func node(_ number: UInt64) -> NodeID { NodeID(high: 0xABC, low: number) }
}

// MARK: - Comparing trees

/// An entry of a tree as `diff -r --no-dereference` would compare it, and more.
struct TreeEntry: Hashable, CustomStringConvertible {
    var kind: String
    var mode: UInt16
    var modified: Int64?
    var bytes: [UInt8]

    var description: String { "\(kind) \(String(mode, radix: 8)) \(modified ?? 0) \(bytes.count) bytes" }
}

/// Everything below a folder by its path, read without following links.
func tree(_ root: String) throws -> [LocalPath: TreeEntry] {
    var entries: [LocalPath: TreeEntry] = [:]
    var waiting = [LocalPath.root]
    let top = try OpenFile.folder(absolute: LocalPath(bytes: Array(root.utf8)))
    while let path = waiting.popLast() {
        let folder = try top.folder(at: path)
        let listing = try FolderListing(folder)
        for index in 0..<listing.count {
            let name = listing[index]
            let status = try folder.status(of: name)!
            let entry = path.appending(name)
            switch status.kind {
            case .folder:
                entries[entry] = TreeEntry(kind: "folder", mode: status.permissions, bytes: [])
                waiting.append(entry)
            case .symlink:
                entries[entry] = TreeEntry(
                    kind: "link", mode: 0o777, modified: status.modified, bytes: try folder.target(of: name))
            case .file:
                let file = try folder.open(name, O_RDONLY)
                var bytes = [UInt8](repeating: 0, count: Int(status.size))
                let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
                precondition(count == bytes.count)
                entries[entry] = TreeEntry(
                    kind: "file", mode: status.permissions, modified: status.modified, bytes: bytes)
            case nil: entries[entry] = TreeEntry(kind: "special", mode: status.permissions, bytes: [])
            }
        }
    }
    return entries
}
