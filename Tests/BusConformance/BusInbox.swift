public import Messaging
import Synchronization

/// A receiver that keeps what it hears, and lets tests wait for it.
public final class BusInbox: Sendable {
    private struct State {
        var events: [BusEvent] = []
        var waiting: [(isEnough: @Sendable ([BusEvent]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// Makes an empty inbox.
    public init() {}

    /// All that was heard, in the order in which it came.
    public var events: [BusEvent] { state.withLock { $0.events } }

    /// What was heard, but for messages without news.
    public var news: [BusMessage] { events.map(\.message).filter { $0 != .resumed } }

    /// Whether a number is left out between two of the events that were heard.
    public var hasGap: Bool { Self.hasGap(events) }

    /// Whether a number is left out between two of these events.
    public static func hasGap(_ events: [BusEvent]) -> Bool {
        zip(events, events.dropFirst()).contains { $1.sequence != $0.sequence + 1 }
    }

    /// Takes an event: to be subscribed.
    public func receive(_ event: BusEvent) {
        let ready = state.withLock { state in
            state.events.append(event)
            let events = state.events
            let ready = state.waiting.filter { $0.isEnough(events) }
            state.waiting.removeAll { $0.isEnough(events) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Waits until what was heard is enough.
    public func wait(until isEnough: @escaping @Sendable ([BusEvent]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if isEnough(state.events) { return true }
                state.waiting.append((isEnough, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Waits until a message was heard.
    public func wait(for message: BusMessage) async {
        await wait { $0.contains { $0.message == message } }
    }
}
