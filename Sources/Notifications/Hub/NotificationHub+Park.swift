public import Model

extension NotificationHub {
    /// Parks a poll until it ends, at the latest `timeout` seconds from now. It takes the place of the device's poll
    /// before, which ends as replaced: a device has one. A poll that is known to be behind, whose device was revoked or that
    /// comes while the hub drains ends at once.
    ///
    /// - Parameters:
    ///   - device: who polls.
    ///   - cursors: how far the device has seen each namespace; of two for one namespace, the older counts.
    ///   - timeout: how long to wait, in seconds; 0 waits for no more than the heads.
    ///   - owner: what the end of the poll shall bear.
    ///   - ended: gets the polls that ended, this one included.
    /// - Returns: The name of the poll.
    /// - Throws: ``PollError/overloaded`` when the hub is full; the device's poll before has ended all the same.
    public mutating func park(
        device: DeviceID, cursors: [Cursor], timeout: UInt32, owner: UInt64, into ended: inout [Ended]
    ) throws(PollError) -> PollTicket {
        issued = issued == .max ? 1 : issued + 1
        if drained != nil || revocations.contains(device) {
            let ticket = PollTicket(slot: .nowhere, stamp: issued)
            ended.append(Ended(ticket: ticket, owner: owner, answer: drained != nil ? .closing : .revoked))
            return ticket
        }
        let former = polls.find(device)
        if former != .nowhere { end(former, .replaced, into: &ended) }
        let wait = timeout == 0 ? Self.lookPatience : min(timeout, 1 << 30)
        // The clock moves in whole seconds: one more, so that no poll ends before its time.
        let deadline = UInt32(truncatingIfNeeded: second + UInt64(wait) + 1)
        guard interests.capacity - interests.count >= cursors.count,
            let poll = polls.insert(PollSlot(device: device, owner: owner, stamp: issued, deadline: deadline))
        else { throw .overloaded }
        let ticket = PollTicket(slot: poll, stamp: issued)
        arm(poll)
        for cursor in cursors where !follow(cursor, by: poll, onlyLooks: timeout == 0) {
            remove(poll)
            throw .overloaded
        }
        if isBehind(poll) {
            end(poll, .moved(news(of: poll)), into: &ended)
        } else if timeout == 0, knowsAllHeads(of: poll) {
            end(poll, .timedOut, into: &ended)
        }
        return ticket
    }

    /// The place of a poll that is parked; nil when it has ended.
    func place(of ticket: PollTicket) -> UInt32? {
        guard ticket.slot < polls.reach, polls[ticket.slot].stamp == ticket.stamp else { return nil }
        return ticket.slot
    }

    /// Ends a parked poll.
    mutating func end(_ poll: UInt32, _ answer: PollAnswer, into ended: inout [Ended]) {
        let ticket = PollTicket(slot: poll, stamp: polls[poll].stamp)
        ended.append(Ended(ticket: ticket, owner: polls[poll].owner, answer: answer))
        remove(poll)
    }

    /// What a poll is told: each of its namespaces that is past its cursor, and the one of which files were announced. No
    /// revision is before the poll's cursor: the device may know of a commit that was not heard of here yet.
    func news(of poll: UInt32, announced: UInt32 = .nowhere) -> [MovedNamespace] {
        var moved: [MovedNamespace] = []
        var interest = polls[poll].firstInterest
        while interest != .nowhere {
            let entry = interests[interest]
            let namespace = namespaces[entry.namespace]
            if namespace.head > entry.seen || entry.namespace == announced {
                moved.append(
                    MovedNamespace(
                        namespace: namespace.namespace, revision: max(namespace.head, entry.seen),
                        pending: entry.namespace == announced))
            }
            interest = entry.link
        }
        return moved
    }

    private func isBehind(_ poll: UInt32) -> Bool {
        var interest = polls[poll].firstInterest
        while interest != .nowhere {
            let entry = interests[interest]
            if namespaces[entry.namespace].head > entry.seen { return true }
            interest = entry.link
        }
        return false
    }

    func knowsAllHeads(of poll: UInt32) -> Bool {
        var interest = polls[poll].firstInterest
        while interest != .nowhere {
            let entry = interests[interest]
            guard isKnown(entry.namespace) else { return false }
            interest = entry.link
        }
        return true
    }

    /// Makes a poll follow a namespace; false when there is no room for another namespace.
    private mutating func follow(_ cursor: Cursor, by poll: UInt32, onlyLooks: Bool) -> Bool {
        var namespace = namespaces.find(cursor.namespace)
        if namespace == .nowhere {
            guard let new = namespaces.insert(NamespaceSlot(namespace: cursor.namespace)) else { return false }
            namespace = new
            list(namespace)
        }
        let first = namespaces[namespace].firstInterest
        // The newest interest in a namespace comes first: if it is this poll's, the namespace is named twice.
        if first != .nowhere, interests[first].poll == poll {
            interests[first].seen = min(cursor.revision, interests[first].seen)
            return true
        }
        let slot = InterestSlot(
            seen: cursor.revision, poll: poll, namespace: namespace, later: first, link: polls[poll].firstInterest,
            onlyLooks: onlyLooks)
        guard let interest = interests.take(slot) else { return false }
        if first != .nowhere { interests[first].earlier = interest }
        namespaces[namespace].firstInterest = interest
        polls[poll].firstInterest = interest
        return true
    }

    /// Takes a poll out of every list and table.
    private mutating func remove(_ poll: UInt32) {
        disarm(poll)
        var interest = polls[poll].firstInterest
        while interest != .nowhere {
            let entry = interests[interest]
            if entry.later != .nowhere { interests[entry.later].earlier = entry.earlier }
            if entry.earlier != .nowhere {
                interests[entry.earlier].later = entry.later
            } else {
                namespaces[entry.namespace].firstInterest = entry.later
                if entry.later == .nowhere { letGo(entry.namespace) }
            }
            interests.giveBack(interest)
            interest = entry.link
        }
        polls.remove(poll)
    }
}
