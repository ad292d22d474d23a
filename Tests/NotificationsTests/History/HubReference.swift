import Messaging
import Model

@testable import Notifications

/// What the hub has to do, said as plainly as can be: dictionaries that are looked through from end to end. A history
/// takes every step on both and compares.
struct HubReference {
    struct Poll {
        let device: DeviceID
        let cursors: [NamespaceID: Revision]
        let onlyLooks: Bool
        let deadline: UInt64
    }

    enum State: Hashable {
        case listed, reading, known
    }

    struct Namespace {
        var head = Revision.zero
        var state = State.listed
        var age = 0
    }

    /// An end of a poll, with the namespaces in order.
    struct End: Hashable {
        let owner: UInt64
        let answer: PollAnswer

        init(_ owner: UInt64, _ answer: PollAnswer) {
            self.owner = owner
            guard case .moved(let moved) = answer else {
                self.answer = answer
                return
            }
            self.answer = .moved(moved.sorted { $0.namespace < $1.namespace })
        }
    }

    let capacity: Int
    let cursorCapacity: Int
    private(set) var polls: [UInt64: Poll] = [:]
    private(set) var namespaces: [NamespaceID: Namespace] = [:]
    private var second: UInt64 = 0
    private var sequence: UInt64 = 0
    private var age = 0
    private var revoked: Set<DeviceID> = []
    private var isDraining = false

    init(capacity: Int, cursorCapacity: Int) {
        self.capacity = capacity
        self.cursorCapacity = cursorCapacity
    }

    var cursorCount: Int { polls.values.reduce(0) { $0 + $1.cursors.count } }

    /// Whether a head is known but for what the bus has still to tell.
    func isKnown(_ namespace: NamespaceID) -> Bool {
        namespaces[namespace].map { $0.state == .known && $0.age == age } ?? false
    }

    /// Whether `nextUnread` may hand a namespace out.
    func isDue(_ namespace: NamespaceID) -> Bool {
        guard let entry = namespaces[namespace] else { return false }
        return entry.state == .listed || entry.state == .known && entry.age != age
    }

    /// The ends that parking makes; nil when the poll is refused. The ends of the device's earlier poll come in both cases.
    mutating func park(
        _ owner: UInt64, _ device: DeviceID, _ cursors: [Cursor], timeout: UInt32
    ) -> (ends: [End], isRefused: Bool) {
        if isDraining { return ([End(owner, .closing)], false) }
        if revoked.contains(device) { return ([End(owner, .revoked)], false) }
        var ends: [End] = []
        if let former = polls.first(where: { $0.value.device == device })?.key {
            ends += end([former], .replaced)
        }
        let seen = Dictionary(cursors.map { ($0.namespace, $0.revision) }, uniquingKeysWith: min)
        guard polls.count < capacity, cursorCount + cursors.count <= cursorCapacity,
            Set(namespaces.keys).union(seen.keys).count <= cursorCapacity
        else { return (ends, true) }
        let wait = timeout == 0 ? UInt64(NotificationHub.lookPatience) : UInt64(timeout)
        polls[owner] = Poll(device: device, cursors: seen, onlyLooks: timeout == 0, deadline: second + wait + 1)
        for namespace in seen.keys where namespaces[namespace] == nil { namespaces[namespace] = Namespace() }
        return (ends + settle(owner), false)
    }

    mutating func receive(_ event: BusEvent) -> [End] {
        if event.sequence != sequence + 1 { age += 1 }
        sequence = event.sequence
        if case .revoked(let device) = event.message {
            revoked.insert(device)
            return end(polls.filter { $0.value.device == device }.map(\.key), .revoked)
        }
        guard case .changed(let notice) = event.message, let entry = namespaces[notice.namespace] else { return [] }
        namespaces[notice.namespace]!.head = max(entry.head, notice.revision)
        return polls.keys.flatMap { owner -> [End] in
            guard polls[owner]!.cursors[notice.namespace] != nil else { return [] }
            let isTold = notice.kind == .pending && polls[owner]!.device != notice.device
            return settle(owner, announced: isTold ? notice.namespace : nil)
        }
    }

    mutating func handOut(_ names: [NamespaceID]) {
        for name in names {
            namespaces[name]!.state = .reading
            namespaces[name]!.age = age
        }
    }

    mutating func learn(_ heads: [Cursor]) -> [End] {
        for head in heads {
            guard let entry = namespaces[head.namespace] else { continue }
            namespaces[head.namespace]!.head = max(entry.head, head.revision)
            if entry.state == .reading {
                namespaces[head.namespace]!.state = entry.age == age ? .known : .listed
            }
        }
        tidy()
        let read = Set(heads.map(\.namespace))
        return polls.keys.flatMap { owner in
            polls[owner]!.cursors.keys.contains(where: read.contains) ? settle(owner) : []
        }
    }

    mutating func unread(_ names: [NamespaceID]) {
        for name in names where namespaces[name]?.state == .reading { namespaces[name]!.state = .listed }
        tidy()
    }

    mutating func advance(to now: UInt64) -> [End] {
        second = max(second, now)
        return end(polls.filter { $0.value.deadline <= second }.map(\.key), .timedOut)
    }

    mutating func end(_ owners: [UInt64], _ answer: PollAnswer) -> [End] {
        let ended = owners.filter { polls.removeValue(forKey: $0) != nil }
        tidy()
        return ended.map { End($0, answer) }
    }

    mutating func drain() { isDraining = true }

    /// Ends a poll if there is reason to.
    private mutating func settle(_ owner: UInt64, announced: NamespaceID? = nil) -> [End] {
        let poll = polls[owner]!
        let moved = poll.cursors.compactMap { namespace, seen -> MovedNamespace? in
            let head = namespaces[namespace]!.head
            guard head > seen || namespace == announced else { return nil }
            return MovedNamespace(namespace: namespace, revision: max(head, seen), pending: namespace == announced)
        }
        if !moved.isEmpty { return end([owner], .moved(moved)) }
        if poll.onlyLooks, poll.cursors.keys.allSatisfy(isKnown) { return end([owner], .timedOut) }
        return []
    }

    /// Forgets namespaces that nobody names, but for those that are being read.
    private mutating func tidy() {
        let named = Set(polls.values.flatMap(\.cursors.keys))
        namespaces = namespaces.filter { $0.value.state == .reading || named.contains($0.key) }
    }
}
