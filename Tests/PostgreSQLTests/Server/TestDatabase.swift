import Metadata
import MetadataPostgreSQL
import PostgreSQLSupport
import Synchronization

/// A database of one test, with the newest schema, on a server that may be shared.
final class TestDatabase: Sendable {
    let server: PostgresServer
    let name: String

    private static let numbers = Atomic(0)
    private static let template = OnceEach()

    /// Makes the database as a copy of one that was brought up to date once, or an empty one.
    init(on server: PostgresServer? = nil, isEmpty: Bool = false) async throws {
        let server = try server ?? PostgresServer.shared()
        self.server = server
        name = "test\(Self.numbers.add(1, ordering: .relaxed).newValue)"
        if !isEmpty { try await Self.template.prepare(server) }
        try DirectConnection(server.string("postgres")).run(
            "CREATE DATABASE \(name) TEMPLATE \(isEmpty ? "template0" : "migrated")")
    }

    var string: String { server.string(name) }

    /// Opens it with few connections, and with patience: the tests share few processors.
    func open(_ settings: PostgreSQLSettings = PostgreSQLSettings(connections: 4, patience: .seconds(60))) async throws
        -> PostgreSQLMetadataDatabase
    {
        try await PostgreSQLMetadataDatabase(string, settings)
    }

    /// A connection to it beside the adapter's.
    func direct() throws -> DirectConnection { try DirectConnection(string) }

    deinit {
        // The folder of a server goes as a whole; this only keeps it small meanwhile.
        _ = try? DirectConnection(server.string("postgres")).run("DROP DATABASE \(name) WITH (FORCE)")
    }
}

/// Makes the migrated database of each server, once.
private actor OnceEach {
    private var prepared: Set<Int> = []

    func prepare(_ server: PostgresServer) async throws {
        // Nothing is awaited between the look and the note, so a second caller waits behind the blocking calls below.
        guard prepared.insert(server.port).inserted else { return await ready(server) }
        try DirectConnection(server.string("postgres")).run("CREATE DATABASE building TEMPLATE template0")
        let database = try await PostgreSQLMetadataDatabase(
            server.string("building"), PostgreSQLSettings(connections: 1))
        try await database.close()
        try DirectConnection(server.string("postgres")).run("ALTER DATABASE building RENAME TO migrated")
        done.insert(server.port)
        for waiter in waiters.removeValue(forKey: server.port) ?? [] { waiter.resume() }
    }

    private var done: Set<Int> = []
    private var waiters: [Int: [CheckedContinuation<Void, Never>]] = [:]

    private func ready(_ server: PostgresServer) async {
        if done.contains(server.port) { return }
        await withCheckedContinuation { waiters[server.port, default: []].append($0) }
    }
}
