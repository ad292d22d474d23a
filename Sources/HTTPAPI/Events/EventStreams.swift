import Files
import Messaging
import Model
import Synchronization

/// The streams of events that are open. They end when their device is revoked; when news of the bus went missing, all
/// of them end, since one of the revocations may have: who is still welcome connects again.
final class EventStreams: Sendable {
    private struct Entry {
        weak var stream: EventStream?
    }

    private struct State {
        var streams: [Int: Entry] = [:]
        var issued = 0
        var sequence: UInt64?
    }

    private let capacity: Int
    private let state = Mutex(State())
    private let subscription = Mutex<BusSubscription?>(nil)

    /// Hears of revocations on a bus, and holds at most `capacity` streams.
    init(bus: any ChangeBus, capacity: Int) {
        self.capacity = capacity
        let subscribed = bus.subscribe { [weak self] event in self?.receive(event) }
        subscription.withLock { $0 = subscribed }
    }

    /// How many streams are open.
    var count: Int { state.withLock { $0.streams.count } }

    /// Opens a stream. Its device has to be looked at afterwards: a revocation before that is not heard of here.
    /// - Throws: ``FilesError`` `unavailable` when too many are open.
    func open(for device: DeviceID) throws -> EventStream {
        try state.withLock { state in
            guard state.streams.count < capacity else {
                throw FilesError(.unavailable, "too many streams of events are open", retryAfter: 10)
            }
            state.issued += 1
            let number = state.issued
            let stream = EventStream(device: device) { [weak self] in self?.forget(number) }
            state.streams[number] = Entry(stream: stream)
            return stream
        }
    }

    private func forget(_ number: Int) {
        state.withLock { _ = $0.streams.removeValue(forKey: number) }
    }

    private func receive(_ event: BusEvent) {
        let revoked: DeviceID? = if case .revoked(let device) = event.message { device } else { nil }
        let (open, isGap) = state.withLock { state in
            let isGap = state.sequence.map { event.sequence != $0 + 1 } ?? false
            state.sequence = event.sequence
            return (isGap || revoked != nil ? state.streams.values.compactMap(\.stream) : [], isGap)
        }
        // Outside of the lock: the last reference to a stream may go with this list.
        for stream in open where isGap || stream.device == revoked { stream.end() }
    }
}
