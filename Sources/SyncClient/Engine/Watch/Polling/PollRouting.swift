import WireProtocol

/// Decides where the next poll goes, and when: a state machine without clock or connection. Times count from any fixed
/// moment, draws come from a generator.
///
/// It asks for a poll token, polls one of the servers that the answer names, chosen at random, and stays there while it
/// answers. After a failure it waits with full jitter and goes to another. When all have failed, or none is named, or the
/// server knows no poll tokens, it polls at the server's own route. A new token is asked for before the old one ends, and
/// with it all servers are tried again.
struct PollRouting {
    /// What to do next.
    enum Step: Hashable {
        case pause(Duration)
        case askForToken
        case poll(PollPlace)

        /// Where it goes, if it is a poll.
        var place: PollPlace? {
            if case .poll(let place) = self { place } else { nil }
        }
    }

    private struct Held {
        let token: String
        /// Nil stands for the server itself.
        let servers: [String?]
        let renewal: Duration
    }

    /// How long a server that knows no poll tokens is not asked again: it may be replaced by a newer one.
    static let longestWithoutTokens = Duration.seconds(3600)
    /// How long before its end a token is renewed, unless it lives shorter than twice that.
    static let margin = Duration.seconds(90)
    /// Most servers of one answer that are looked at.
    static let maximumServers = 64

    /// The longest that a server is left alone because it asks for it.
    static let longestRetryAfter = Duration.seconds(600)

    private let isSecure: Bool
    private var held: Held?
    private var noTokensUntil: Duration?
    private var current: String??
    /// Servers that failed since the token was given.
    private var failed: Set<String?> = []
    private var backoff: PollBackoff
    private var notBefore: Duration?

    /// Begins without a token.
    /// - Parameters:
    ///   - isSecure: whether the server is spoken to by TLS: then no token goes to one that is not.
    ///   - backoff: the pauses after failures.
    init(isSecure: Bool, backoff: PollBackoff = PollBackoff(base: .seconds(1), cap: .seconds(60))) {
        self.isSecure = isSecure
        self.backoff = backoff
    }

    /// What to do now.
    mutating func next(now: Duration, using generator: inout some RandomNumberGenerator) -> Step {
        if let notBefore, now < notBefore { return .pause(notBefore - now) }
        notBefore = nil
        if let noTokensUntil, now < noTokensUntil { return .poll(.home) }
        guard let held, now < held.renewal else { return .askForToken }
        let fit = held.servers.filter { !failed.contains($0) }
        if let current, fit.contains(current) { return .poll(PollPlace(server: current, token: held.token)) }
        guard let chosen = fit.randomElement(using: &generator) else { return .poll(.home) }
        current = .some(chosen)
        return .poll(PollPlace(server: chosen, token: held.token))
    }

    /// Takes the answer to the question for a token; nil when the server knows no such route.
    mutating func noteToken(_ answer: PollTokenResponse?, now: Duration) {
        failed = []
        backoff.reset()
        guard let answer else {
            held = nil
            noTokensUntil = now + Self.longestWithoutTokens
            return
        }
        noTokensUntil = nil
        let usable = answer.servers.filter { !isSecure || $0.lowercased().hasPrefix("https://") }
        let life = Duration.seconds(Int64(clamping: min(answer.lifetime, 1 << 32)))
        held = Held(
            token: answer.token,
            servers: answer.servers.isEmpty ? [nil] : usable.prefix(Self.maximumServers).map(Optional.some),
            renewal: now + max(life - Self.margin, life / 2))
    }

    /// Takes that a poll was answered as it should be.
    mutating func noteAnswer() { backoff.reset() }

    /// Takes that a poll was sent away before its time without news: the server stops, or the device polls elsewhere. It
    /// goes to another server, if there is one, and not at once, since others are sent away with it.
    mutating func noteDismissal(
        from place: PollPlace, now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        if place.token != nil, place.server != nil { failed.insert(place.server) }
        notBefore = now + backoff.next(using: &generator)
    }

    /// Takes that a poll failed.
    /// - Parameters:
    ///   - place: where it went; nil when it was the question for a token that failed.
    ///   - retryAfter: how long the server asked to be left alone.
    ///   - now: the present time.
    ///   - generator: where the jitter comes from.
    mutating func noteFailure(
        at place: PollPlace?, retryAfter: Duration?, now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        if let place, place.token != nil {
            failed.insert(place.server)
        } else {
            // Not even the server itself answers: then all are worth another attempt.
            failed = []
        }
        notBefore = now + min(retryAfter ?? .zero, Self.longestRetryAfter) + backoff.next(using: &generator)
    }

    /// Whether a failure there says that the server itself can't be asked, rather than one of those it names.
    static func concernsServer(_ place: PollPlace?) -> Bool { place?.token == nil }
}
