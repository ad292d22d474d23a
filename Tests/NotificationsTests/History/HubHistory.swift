import Messaging
import Model
import TestSupport

@testable import Notifications

/// One history at random, made again from its seed: a journal in which commits become visible and are told of later, in any
/// order and not always; readers that see the journal of some moment and come back at another; polls that come and go.
struct HubHistory {
    /// A fault to build in, to see that it is found.
    enum Sabotage: CaseIterable {
        case missesNotice, missesRead, endsTwice, tellsOfOthers, keepsRevoked, leaks
    }

    struct Reading {
        let namespaces: [NamespaceID]
        var seen: [Cursor]?
    }

    let sabotage: Sabotage?
    private let devices: UInt64
    private let names: UInt64
    var random: SeededGenerator
    var hub: NotificationHub.Box
    var reference: HubReference
    private let emptySize: Int

    // The journal and the bus.
    private var heads: [NamespaceID: Revision] = [:]
    private var untold: [BusMessage] = []
    private var queue: [BusEvent] = []
    private var sequence: UInt64 = 0
    private var isGapHidden = false

    // What the drivers know.
    private var readings: [Reading] = []
    private var tickets: [UInt64: PollTicket] = [:]
    private var ended: Set<UInt64> = []
    private var owner: UInt64 = 0
    private var now: UInt64 = 0

    /// What went wrong.
    private(set) var failures: [String] = []
    /// How often polls ended in which way, to see that the histories meet everything.
    private(set) var tally: [String: Int] = [:]

    init(seed: UInt64, isLarge: Bool = false, sabotage: Sabotage? = nil) {
        random = SeededGenerator(seed: seed)
        self.sabotage = sabotage
        devices = isLarge ? 120 : .random(in: 2...9, using: &random)
        names = isLarge ? 40 : .random(in: 1...5, using: &random)
        let capacity = isLarge ? 100 : Int.random(in: 2...10, using: &random)
        let cursors = isLarge ? 400 : Int.random(in: capacity...(3 * capacity), using: &random)
        hub = NotificationHub.Box(NotificationHub(capacity: capacity, cursors: cursors))
        reference = HubReference(capacity: capacity, cursorCapacity: cursors)
        emptySize = hub.bytesInUse
    }

    /// Goes through the history: at first anything, then what is left comes to rest, then everything ends.
    mutating func run(steps: Int) {
        for _ in 0..<steps where failures.isEmpty {
            step()
            checkNothingIsMissed()
        }
        if failures.isEmpty { comeToRest() }
        if failures.isEmpty { endAll() }
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14: commit()
        case 14..<17: untold.append(Polling.pending(anyName(), at: 0, by: anyDevice()))
        case 17: untold.append(.revoked(Polling.device(anyDevice())))
        case 18..<32: publish()
        case 32..<46: deliver()
        case 46..<50: lose()
        case 50..<70: park()
        case 70..<78: handOut()
        case 78..<84: read()
        case 84..<92: finishReading()
        case 92..<95: hangUp()
        case 95: expire()
        default: advance(by: .random(in: 1...9, using: &random))
        }
    }

    private mutating func anyName() -> UInt64 { .random(in: 0..<names, using: &random) }
    private mutating func anyDevice() -> UInt64 { .random(in: 0..<devices, using: &random) }
    private func head(_ namespace: NamespaceID) -> Revision { heads[namespace] ?? .zero }
}

// The journal and the bus.
extension HubHistory {
    private mutating func commit() {
        let name = anyName()
        let next = head(Polling.namespace(name)).next
        heads[Polling.namespace(name)] = next
        // Visible now; told later, not always in this order.
        untold.append(Polling.uploaded(name, to: next.number, by: anyDevice()))
    }

    private mutating func publish() {
        guard let index = untold.indices.randomElement(using: &random) else { return }
        publish(untold.remove(at: index))
    }

    private mutating func publish(_ message: BusMessage) {
        sequence += 1
        queue.append(BusEvent(sequence: sequence, message: message))
    }

    private mutating func deliver() {
        guard !queue.isEmpty else { return }
        let event = queue.removeFirst()
        isGapHidden = false
        let expected = reference.receive(event)
        if sabotage == .missesNotice, !expected.isEmpty { return compare([], expected, "\(event)") }
        if sabotage == .keepsRevoked, case .revoked = event.message, !expected.isEmpty {
            return compare([], expected, "\(event)")
        }
        compare(hub.step { $0.receive(event, into: &$1) }, expected, "\(event)")
    }

    private mutating func lose() {
        guard !queue.isEmpty else { return }
        queue.removeFirst()
        isGapHidden = true
    }
}

// Readers.
extension HubHistory {
    private mutating func handOut() {
        let count = Int.random(in: 1...4, using: &random)
        let handed = hub.nextUnread(atMost: count)
        let due = reference.namespaces.keys.filter { reference.isDue($0) }.count
        if handed.count != min(count, due) { fail("\(handed.count) of \(due) unread were handed out, not \(count)") }
        if Set(handed).count != handed.count || !handed.allSatisfy(reference.isDue) {
            fail("what was handed out was not to be read: \(handed)")
            return
        }
        reference.handOut(handed)
        if !handed.isEmpty { readings.append(Reading(namespaces: handed)) }
    }

    private mutating func read() {
        guard let index = readings.indices.randomElement(using: &random), readings[index].seen == nil else { return }
        readings[index].seen = readings[index].namespaces.map { Cursor(namespace: $0, revision: head($0)) }
    }

    private mutating func finishReading() {
        guard let index = readings.indices.randomElement(using: &random) else { return }
        let reading = readings.remove(at: index)
        guard let seen = reading.seen, Int.random(in: 0..<8, using: &random) > 0 else {
            tally["failed reading", default: 0] += 1
            hub.unread(reading.namespaces)
            reference.unread(reading.namespaces)
            return compareCounts("unread")
        }
        let expected = reference.learn(seen)
        if sabotage == .missesRead, !expected.isEmpty { return compare([], expected, "learn") }
        compare(hub.step { $0.learn(heads: seen, into: &$1) }, expected, "learn \(seen)")
    }
}

// Polls.
extension HubHistory {
    private mutating func park() {
        var cursors: [Cursor] = []
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let name = anyName()
            let behind = UInt64(Int.random(in: 0..<6, using: &random) == 0 ? 1 : 0)
            let head = head(Polling.namespace(name)).number
            cursors.append(Polling.cursor(name, at: head - min(head, behind)))
        }
        owner += 1
        let owner = owner
        let device = Polling.device(anyDevice())
        let timeout = UInt32.random(in: 0...50, using: &random)
        let (expected, isRefused) = reference.park(owner, device, cursors, timeout: timeout)
        var ends: [NotificationHub.Ended] = []
        do throws(PollError) {
            let ticket = try hub.hub.park(
                device: device, cursors: cursors, timeout: timeout, owner: owner, into: &ends)
            tickets[owner] = ticket
            if isRefused { fail("a poll was parked beyond the capacity") }
        } catch {
            tally["refused", default: 0] += 1
            if !isRefused { fail("a poll was refused although there was room") }
        }
        compare(ends, expected, "park \(owner) of \(device) at \(cursors)")
    }

    private mutating func hangUp() {
        guard let owner = tickets.keys.sorted().randomElement(using: &random) else { return }
        let expected = reference.end([owner], .disconnected)
        let ticket = tickets[owner]!
        compare(hub.step { $0.disconnect(ticket, into: &$1) }, expected, "disconnect \(owner)")
        // The same again says nothing.
        compare(hub.step { $0.disconnect(ticket, into: &$1) }, [], "disconnect \(owner) again")
    }

    private mutating func expire() {
        guard let owner = tickets.keys.max() else { return }
        let expected = reference.end([owner], .timedOut)
        let ticket = tickets[owner]!
        compare(hub.step { $0.expire(ticket, into: &$1) }, expected, "expire \(owner)")
    }

    private mutating func advance(by seconds: UInt64) {
        now += seconds
        let expected = reference.advance(to: now)
        let second = now
        compare(hub.step { $0.advance(to: second, into: &$1) }, expected, "advance to \(second)")
    }
}

// The end.
extension HubHistory {
    /// Everything is told and read: then no poll may be behind.
    private mutating func comeToRest() {
        while !untold.isEmpty { publish() }
        // Shows a gap, if the last messages were lost.
        publish(.revoked(Polling.device(1000)))
        while !queue.isEmpty, failures.isEmpty { deliver() }
        while failures.isEmpty, hub.hasUnread || !readings.isEmpty {
            handOut()
            for index in readings.indices { readings[index].seen = readings[index].namespaces.map(cursor) }
            while !readings.isEmpty, failures.isEmpty { finishReading() }
        }
        checkNothingIsMissed()
        if reference.polls.values.contains(where: \.onlyLooks) { fail("a poll that only looks waits on") }
    }

    private func cursor(_ namespace: NamespaceID) -> Cursor {
        Cursor(namespace: namespace, revision: head(namespace))
    }

    private mutating func endAll() {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: advance(by: 100)
        case 1: advance(by: 10_000)
        default: drain()
        }
        if hub.count + hub.cursorCount + hub.namespaceCount + hub.unreadCount > 0 {
            fail("something was left in the tables")
        }
        if hub.hub.wheel.contains(where: { $0 != .nowhere }) { fail("a deadline was left") }
        let size = hub.bytesInUse + (sabotage == .leaks ? 1 : 0)
        if size != emptySize { fail("the tables use \(size) bytes, at the start they used \(emptySize)") }
    }

    private mutating func drain() {
        reference.drain()
        repeat {
            let wave = Int.random(in: 1...4, using: &random)
            let ends = hub.step { $0.drain(atMost: wave, into: &$1) }
            if ends.count < wave, hub.count > 0 { fail("a wave was smaller than it was to be") }
            let expected = reference.end(ends.map(\.owner), .closing)
            compare(ends, expected, "drain")
            park()
        } while hub.count > 0 && failures.isEmpty
    }
}

// What has to hold.
extension HubHistory {
    private mutating func fail(_ what: String) { failures.append(what) }

    private mutating func compare(
        _ ends: [NotificationHub.Ended], _ expected: [HubReference.End], _ step: @autoclosure () -> String
    ) {
        var ends = ends
        if let last = ends.last, sabotage == .endsTwice { ends.append(last) }
        for end in ends {
            if let ticket = tickets.removeValue(forKey: end.owner) {
                if ticket != end.ticket { fail("poll \(end.owner) ended under another name") }
            } else if end.owner != owner {
                fail("poll \(end.owner) ended, and was not parked")
            }
            if !ended.insert(end.owner).inserted { fail("poll \(end.owner) ended twice") }
            tally[Self.name(end.answer), default: 0] += 1
        }
        var told = ends.map { HubReference.End($0.owner, $0.answer) }
        if sabotage == .tellsOfOthers { told = told.map(Self.mixedUp) }
        if told.count != expected.count || Set(told) != Set(expected) {
            fail("\(step()): \(told), expected \(expected)")
        }
        compareCounts(step())
    }

    private mutating func compareCounts(_ step: @autoclosure () -> String) {
        let isSame =
            hub.count == reference.polls.count && hub.namespaceCount == reference.namespaces.count
            && hub.cursorCount == reference.cursorCount
        if !isSame { fail("\(step()): the counts differ") }
    }

    /// A poll may be behind only while something is on its way that will tell it.
    private mutating func checkNothingIsMissed() {
        guard !isGapHidden else { return }
        for (owner, poll) in reference.polls {
            for (namespace, seen) in poll.cursors where head(namespace) > seen {
                guard reference.isKnown(namespace), !isOnItsWay(namespace, after: seen) else { continue }
                fail("poll \(owner) sleeps at \(seen) of \(namespace), which is at \(head(namespace))")
            }
        }
    }

    private func isOnItsWay(_ namespace: NamespaceID, after seen: Revision) -> Bool {
        func tells(_ message: BusMessage) -> Bool {
            guard case .changed(let notice) = message else { return false }
            return notice.namespace == namespace && notice.revision > seen
        }
        return queue.contains { tells($0.message) } || untold.contains(where: tells)
    }

    private static func mixedUp(_ end: HubReference.End) -> HubReference.End {
        guard case .moved(let moved) = end.answer else { return end }
        return HubReference.End(
            end.owner,
            .moved(
                moved.map {
                    MovedNamespace(namespace: Polling.namespace(77), revision: $0.revision, pending: $0.pending)
                }))
    }

    private static func name(_ answer: PollAnswer) -> String {
        switch answer {
        case .moved(let moved): moved.contains { $0.pending } ? "pending" : moved.count > 1 ? "moved many" : "moved"
        default: "\(answer)"
        }
    }
}
