import Foundation
import Model
import Synchronization
import TestSupport

@testable import SyncClient

/// Thrown by a test where the process would be killed.
struct PassKilled: Error {}

/// One device: a real folder, a real state, and a server in memory.
final class TestDevice: Sendable {
    let name: String
    let server: MemoryServer
    let home = TemporaryDirectory()
    let folder = TemporaryDirectory()
    let clock = SystemWallClock()
    let workers = WorkerPool(threads: 3)
    private let opened: Mutex<ClientDatabase>
    private let link: Mutex<LinkID?>

    init(_ name: String, _ server: MemoryServer) throws {
        self.name = name
        self.server = server
        opened = Mutex(try ClientDatabase(path: home.appending("state.sqlite")))
        link = Mutex(nil)
    }

    var database: ClientDatabase { opened.withLock { $0 } }

    /// Closes the state and opens it anew, as a process that starts again does.
    func restart() throws {
        try opened.withLock { database in
            try database.close()
            database = try ClientDatabase(path: home.appending("state.sqlite"))
        }
    }

    func context(
        limits: EngineLimits = EngineLimits(), step: (@Sendable (EngineStep) throws -> Void)? = nil
    ) -> EngineContext {
        var context = EngineContext(
            database: database, server: server, workers: workers, clock: clock, device: name,
            progress: ProgressBoard())
        context.limits = limits
        if let step { context.step = step }
        return context
    }

    func linkID(remote: RemotePath = .root) async throws -> LinkID {
        if let known = link.withLock({ $0 }) { return known }
        let path = LocalPath(bytes: Array(folder.path.utf8))
        let identity = try LinkedFolder.identity(of: path)
        let root = try await RemoteFolder(context: context(), namespace: server.namespace).findOrMake(remote)
        let id = try database.writeDurably { connection in
            let id = try LinkQueries(connection).add(
                folder: path, remote: remote, namespace: server.namespace, root: .root, identity: identity)
            try CounterQueries(connection).set(EngineLink.setting(id), root.bytes)
            return id
        }
        link.withLock { $0 = id }
        return id
    }

    /// Makes one pass.
    @discardableResult
    func sync(
        _ options: PassOptions = PassOptions(), limits: EngineLimits = EngineLimits(), remote: RemotePath = .root,
        step: (@Sendable (EngineStep) throws -> Void)? = nil
    ) async throws -> PassOutcome {
        let id = try await linkID(remote: remote)
        let context = context(limits: limits, step: step)
        let link = try database.link(id)
        return try await SyncPass(context: context, link: link, options: options).run()
    }

    // MARK: The folder

    func path(_ name: String) -> String { folder.appending(name) }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let parent = (path(name) as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    }

    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: path(name)).map { [UInt8]($0) } }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    func move(_ from: String, _ to: String) throws {
        try FileManager.default.moveItem(atPath: path(from), toPath: path(to))
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// Every entry of the folder with its bytes: what two devices in sync have in common.
    var tree: [String: [UInt8]] {
        var tree: [String: [UInt8]] = [:]
        let names = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
        for name in names {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path(name), isDirectory: &isFolder)
            tree[name] = isFolder.boolValue ? [0] : bytes(name)
        }
        return tree
    }
}

/// Syncs devices in turn until a whole round moves nothing.
func converge(_ devices: TestDevice..., remote: RemotePath = .root) async throws {
    var before: Revision?
    for _ in 0..<10 {
        for device in devices { try await device.sync(remote: remote) }
        let head = devices[0].server.head.revision
        if head == before { return }
        before = head
    }
    throw ClientError(.conflict, "the devices do not come to rest")
}

/// The code of the error that a body ends with; nil when it does not.
func failure(_ body: () async throws -> some Any) async -> ClientError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? ClientError)?.code
    }
}
