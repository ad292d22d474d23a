public import Messaging
public import Model

extension NotificationHub {
    /// Takes an event of the bus: it ends the polls that are behind the namespace's head now, for an announcement all but that
    /// of the device which made it, and for a revocation the poll of the device.
    ///
    /// When events are missing before this one, all heads become unknown, and ``nextUnread(atMost:)`` hands them all out
    /// again: what was missed is found late, but found.
    public mutating func receive(_ event: BusEvent, into ended: inout [Ended]) {
        if event.sequence != sequence &+ 1 { noticeGap() }
        sequence = event.sequence
        if case .changed(let notice) = event.message {
            let namespace = namespaces.find(notice.namespace)
            guard namespace != .nowhere else { return }
            namespaces[namespace].head = max(namespaces[namespace].head, notice.revision)
            wake(namespace, announcedBy: notice.kind == .pending ? notice.device : nil, into: &ended)
        } else if case .revoked(let device) = event.message {
            revoke(device, into: &ended)
        }
    }

    /// Ends the poll of a device that was revoked, and for twenty minutes any that it tries to park: longer than a token
    /// is believed without a look into the database.
    public mutating func revoke(_ device: DeviceID, into ended: inout [Ended]) {
        revocations.insert(device, at: second)
        let poll = polls.find(device)
        if poll != .nowhere { end(poll, .revoked, into: &ended) }
    }

    /// Whether a poll of a device is parked.
    public func isParked(_ device: DeviceID) -> Bool { polls.find(device) != .nowhere }

    /// Whether a device was revoked lately.
    public func isRevoked(_ device: DeviceID) -> Bool { revocations.contains(device) }

    /// Ends the polls on a namespace that have reason to: those behind its head; when files were announced, all but that of
    /// the device that did; and those that only look and have nothing left to wait for.
    mutating func wake(_ namespace: UInt32, announcedBy device: DeviceID?, into ended: inout [Ended]) {
        let head = namespaces[namespace].head
        let isKnown = isKnown(namespace)
        let announced = device == nil ? .nowhere : namespace
        // Most polls have one cursor: all of those are told the same, which is allocated once.
        var common: PollAnswer?
        var interest = namespaces[namespace].firstInterest
        while interest != .nowhere {
            let entry = interests[interest]
            // An end takes one interest out of this list: its own.
            interest = entry.later
            let poll = polls[entry.poll]
            let isTold = device.map { $0 != poll.device } ?? false
            if head > entry.seen || isTold {
                let mark = isTold ? announced : .nowhere
                let isAlone = interests[poll.firstInterest].link == .nowhere
                guard isAlone, isTold == (device != nil), head >= entry.seen else {
                    end(entry.poll, .moved(news(of: entry.poll, announced: mark)), into: &ended)
                    continue
                }
                let answer = common ?? .moved(news(of: entry.poll, announced: mark))
                common = answer
                end(entry.poll, answer, into: &ended)
            } else if entry.onlyLooks, isKnown, knowsAllHeads(of: entry.poll) {
                // Of the heads that are learned together, another one may be past its cursor.
                let news = news(of: entry.poll)
                end(entry.poll, news.isEmpty ? .timedOut : .moved(news), into: &ended)
            }
        }
    }
}
