import Blocks
import Model
import ServiceLifecycle
import WireProtocol

/// Waits for news from the server by long poll, for all links together, and passes them on.
///
/// It polls again at once after an answer; where it polls, and how long it waits after a failure, ``PollRouting`` decides.
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
            var course = Course(routing: PollRouting(isSecure: context.server.isSecure), random: context.random)
            while !Task.isCancelled {
                let step = course.next()
                do {
                    try await take(step, on: &course)
                } catch let error as ClientError {
                    try await lose(error, in: step, on: &course)
                } catch is CancellationError {
                    return
                }
            }
        }
    }

    /// Where the loop is.
    private struct Course {
        var routing: PollRouting
        var random: SecureRandom
        /// Whether the server itself could not be asked when last tried.
        var isLost = false
        let start = ContinuousClock.now

        var now: Duration { ContinuousClock.now - start }

        mutating func next() -> PollRouting.Step { routing.next(now: now, using: &random) }
    }

    private func take(_ step: PollRouting.Step, on course: inout Course) async throws {
        switch step {
        case .pause(let pause): try await Task.sleep(for: pause)
        case .askForToken: course.routing.noteToken(try await context.server.pollToken(), now: course.now)
        case .poll(let place):
            let sent = course.now
            let hasNews = try await poll(at: place)
            course.isLost = false
            if hasNews || course.now - sent >= .seconds(Int64(Self.timeout) / 2) {
                course.routing.noteAnswer()
            } else {
                course.routing.noteDismissal(from: place, now: course.now, using: &course.random)
            }
        }
    }

    private func lose(_ error: ClientError, in step: PollRouting.Step, on course: inout Course) async throws {
        if PollRouting.concernsServer(step.place) {
            if error.code.isFinal { throw error }
            for listener in listeners where !course.isLost { listener.inbox.noteLostServer() }
            course.isLost = true
        }
        course.routing.noteFailure(
            at: step.place, retryAfter: error.retryAfter, now: course.now, using: &course.random)
    }

    /// One poll. After news it waits until every link has taken them in, or the same news would answer at once again.
    /// - Returns: Whether it brought news of any kind.
    private func poll(at place: PollPlace) async throws -> Bool {
        var cursors: [NamespaceID: Revision] = [:]
        for listener in listeners {
            let link = try await context.onWorker { try context.database.link(listener.link) }
            // The link that lags is woken by the news of the one ahead, and by its own pass.
            cursors[link.namespace] = max(cursors[link.namespace] ?? .zero, link.cursor.revision)
        }
        let request = PollRequest(
            cursors: cursors.map { Cursor(namespace: $0.key, revision: $0.value) }, timeout: Self.timeout)
        let answer = try await context.server.poll(request, at: place)
        try await passOn(answer, cursors)
        return !answer.moved.isEmpty
    }

    private func passOn(_ answer: PollResponse, _ cursors: [NamespaceID: Revision]) async throws {
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
