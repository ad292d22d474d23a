import Messaging
import Model

/// What the bus told and the queue has not been told yet: a state machine without clock, lock or storage.
///
/// News of one namespace are one; when they are of too many namespaces, or some were missed, all of it gives way to the
/// wish to fill in from the journal, device by device.
struct QueueIntake {
    /// How far a namespace moved.
    struct Moved: Hashable {
        /// Its newest revision.
        var revision: Revision
        /// The device that made all the news; nil when several did. It knows of them.
        var author: DeviceID?

        mutating func merge(_ other: Moved) {
            revision = max(revision, other.revision)
            if author != other.author { author = nil }
        }
    }

    /// What is to be told to the queue next.
    struct News: Equatable {
        /// The namespaces that moved.
        var moved: [NamespaceID: Moved] = [:]
        /// The devices that were revoked.
        var revoked: Set<DeviceID> = []

        var isEmpty: Bool { moved.isEmpty && revoked.isEmpty }
    }

    /// A place among all devices, up to which the journal was filled in.
    struct Filling: Equatable {
        /// The last device that is done; nil at the beginning.
        var after: DeviceID?
        fileprivate var number: Int
    }

    private let limit: Int
    private var news = News()
    private var sequence: UInt64?
    private var wishes = 0
    /// The filling that is to be done, as far as it is; nil when none is.
    private(set) var filling: Filling?

    /// Makes an intake that remembers at most `limit` namespaces and as many revoked devices. It wants a filling: what
    /// happened before, nobody told it.
    init(limit: Int) {
        self.limit = limit
        wantFilling()
    }

    /// Whether there is nothing to do.
    var isIdle: Bool { news.isEmpty && filling == nil }

    /// How many namespaces and devices there is news of.
    var count: Int { news.moved.count + news.revoked.count }

    /// Takes an event of the bus.
    mutating func receive(_ event: BusEvent) {
        if let sequence, event.sequence != sequence + 1 { wantFilling() }
        sequence = event.sequence
        if case .changed(let notice) = event.message, notice.kind == .uploaded {
            note(notice.namespace, Moved(revision: notice.revision, author: notice.device))
        }
        if case .revoked(let device) = event.message {
            news.revoked.insert(device)
            bound()
        }
    }

    /// Begins to fill in from the journal, from the first device on.
    mutating func wantFilling() {
        wishes += 1
        filling = Filling(after: nil, number: wishes)
    }

    /// Takes what there is to tell.
    mutating func take() -> News {
        defer { news = News() }
        return news
    }

    /// Takes the devices that were revoked.
    mutating func takeRevoked() -> Set<DeviceID> {
        defer { news.revoked = [] }
        return news.revoked
    }

    /// Takes back what could not be told.
    mutating func putBack(_ untold: News) {
        news.revoked.formUnion(untold.revoked)
        for (namespace, moved) in untold.moved { note(namespace, moved) }
        bound()
    }

    /// Notes that a filling got beyond a device; nil when it is done. One that was begun anew meanwhile is not moved.
    mutating func advance(_ done: Filling, to device: DeviceID?) {
        guard filling?.number == done.number else { return }
        filling = device.map { Filling(after: $0, number: done.number) }
    }

    private mutating func note(_ namespace: NamespaceID, _ moved: Moved) {
        if news.moved[namespace]?.merge(moved) == nil { news.moved[namespace] = moved }
        bound()
    }

    private mutating func bound() {
        guard news.moved.count > limit || news.revoked.count > limit else { return }
        // A filling finds both: what moved, and who was revoked.
        news = News()
        wantFilling()
    }
}
