import Model
import ServiceLifecycle
import WireProtocol

/// Asks once, when the watching begins, what the server kept for this device while it was away, has the links look at it,
/// and acknowledges it once their passes have reached the heads that were told.
///
/// What it is told are hints. A link's first pass looks at everything in any case, so a queue that can't be read costs
/// nothing, and one that can't be acknowledged tells the same the next time.
struct QueueWatch: Service {
    let context: EngineContext
    let server: any QueueServer
    let listeners: [RemoteWatch.Listener]

    private static let shortestPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    func run() async throws {
        try? await cancelWhenGracefulShutdown { try await catchUp() }
        // A service that ends before the others would end them, too.
        try? await gracefulShutdown()
    }

    /// Reads the queue, waits until all of it was dealt with, and says so.
    /// - Throws: ``ClientError``, `CancellationError`.
    func catchUp() async throws {
        let listing = try await server.queue()
        let heads = Self.heads(of: listing)
        for listener in listeners {
            let link = try await context.onWorker { try context.database.link(listener.link) }
            let isBehind = heads[link.namespace].map { $0 > link.cursor.revision } ?? false
            if isBehind || listing.readFromCursor { listener.inbox.noteNews() }
        }
        guard let position = listing.position else { return }
        var pause = Self.shortestPause
        while try await !isReached(heads) {
            try await Task.sleep(for: pause)
            pause = min(Self.longestPause, pause * 2)
        }
        try await server.acknowledgeQueue(position)
    }

    /// The newest revision that was told of each namespace. Events are for people, and passed over here.
    private static func heads(of listing: QueueListing) -> [NamespaceID: Revision] {
        var heads: [NamespaceID: Revision] = [:]
        for entry in listing.entries {
            guard let namespace = entry.namespace.flatMap({ NamespaceID(hex: $0) }), let number = entry.revision else {
                continue
            }
            heads[namespace] = max(heads[namespace] ?? .zero, Revision(number))
        }
        return heads
    }

    private func isReached(_ heads: [NamespaceID: Revision]) async throws -> Bool {
        try await context.onWorker {
            try listeners.allSatisfy { listener in
                let link = try context.database.link(listener.link)
                return heads[link.namespace].map { link.cursor.revision >= $0 } ?? true
            }
        }
    }
}
