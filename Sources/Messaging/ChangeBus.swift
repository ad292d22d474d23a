/// Carries news from the roles that make changes to those that tell devices of them.
///
/// A message is published after what it tells is durable and visible to every reader: who hears it and looks, finds it.
/// Messages are hints. Each receiver gets every message that is published after ``subscribe(_:)`` returned, once and in
/// the order of their sequence, or sees a gap in the sequence. A bus never waits for a receiver.
public protocol ChangeBus: Sendable {
    /// Tells a message to every receiver. It does not fail: a bus that can't deliver leaves a gap.
    func publish(_ message: BusMessage) async

    /// Adds a receiver, until the subscription is cancelled or let go of.
    ///
    /// `receive` is called on any thread, one call at a time, and must not block nor publish.
    func subscribe(_ receive: @escaping @Sendable (BusEvent) -> Void) -> BusSubscription
}

/// Holds a receiver on a bus: the receiver goes with it.
public final class BusSubscription: Sendable {
    private let end: @Sendable () -> Void

    /// Makes a subscription that `end` takes off the bus; `end` may be called more than once.
    public init(end: @escaping @Sendable () -> Void) {
        self.end = end
    }

    /// Takes the receiver off the bus; messages published from now on do not reach it.
    public func cancel() { end() }

    deinit { end() }
}
