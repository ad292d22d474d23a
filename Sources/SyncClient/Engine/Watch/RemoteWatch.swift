import Model
import ServiceLifecycle
import WireProtocol

/// Waits for news from the server by long poll, for all links together, and passes them on.
///
/// It polls again at once after an answer, and after a failure with a growing pause and full jitter, so that a crowd that
/// was cut off does not come back in one moment.
struct RemoteWatch: Service {
    /// A link that wants to know.
    struct Listener: Sendable {
        let link: LinkID
        let inbox: WatchInbox
    }

    let context: EngineContext
    let listeners: [Listener]

    /// Shorter than what load balancers cut at by default.
    private static let timeout: UInt32 = 55

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            var failures = 0
            while !Task.isCancelled {
                do {
                    try await poll()
                    failures = 0
                } catch let error as ClientError {
                    for listener in listeners where failures == 0 { listener.inbox.noteLostServer() }
                    if error.code.isFinal { throw error }
                    failures += 1
                    let bound = min(Duration.seconds(60), .milliseconds(250 << min(failures, 16)))
                    try? await Task.sleep(for: bound * Double.random(in: 0...1))
                } catch is CancellationError {
                    return
                }
            }
        }
    }

    /// One poll. After news it waits until every link has taken them in, or the same news would answer at once again.
    private func poll() async throws {
        var cursors: [NamespaceID: Revision] = [:]
        for listener in listeners {
            let link = try await context.onWorker { try context.database.link(listener.link) }
            // The link that lags is woken by the news of the one ahead, and by its own pass.
            cursors[link.namespace] = max(cursors[link.namespace] ?? .zero, link.cursor.revision)
        }
        let request = PollRequest(
            cursors: cursors.map { Cursor(namespace: $0.key, revision: $0.value) }, timeout: Self.timeout)
        let answer = try await context.server.poll(request)
        let moved = answer.moved.filter { $0.revision > cursors[$0.namespace] ?? .zero }
        if moved.isEmpty {
            // PENDING news only, which change nothing that is on disk: not to be asked for in a circle.
            if !answer.moved.isEmpty { try await Task.sleep(for: .milliseconds(500)) }
            return
        }
        // What this device has just committed itself is news to the poll, but not to the link.
        if try await isTaken(moved) { return }
        for listener in listeners { listener.inbox.noteNews() }
        for _ in 0..<Self.longestTaking {
            try await Task.sleep(for: .milliseconds(20))
            if try await isTaken(moved) { return }
        }
    }

    /// How many looks at the cursors, 20 ms apart, are made before polling again all the same.
    private static let longestTaking = 1500

    private func isTaken(_ moved: [PollResponse.Moved]) async throws -> Bool {
        try await context.onWorker {
            try listeners.allSatisfy { listener in
                let link = try context.database.link(listener.link)
                let news = moved.first { $0.namespace == link.namespace }
                return news.map { link.cursor.revision >= $0.revision } ?? true
            }
        }
    }
}
