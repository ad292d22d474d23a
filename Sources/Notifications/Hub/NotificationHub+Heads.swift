public import Model

/// The reading of heads. A namespace is listed when the first poll names it; it is handed out, read, and learned. What a read
/// saw holds for every poll on the namespace, also for those that were parked while it ran: the namespace was in the
/// table since before the read began, so whatever the read was too early for was told to the namespace.
extension NotificationHub {
    /// Hands out namespaces whose heads have to be read from now on, each once: those whose first poll was just parked, and after a
    /// gap all others. Each must come back, through ``learn(heads:into:)`` or ``unread(_:)``.
    ///
    /// After a gap, a call may look through the whole table once.
    public mutating func nextUnread(atMost count: Int) -> [NamespaceID] {
        var out: [NamespaceID] = []
        out.reserveCapacity(min(count, listedCount + (swept == nil ? 0 : namespaces.count)))
        // While there is much to read again, the new ones do not keep all of it waiting.
        takeListed(into: &out, upTo: swept == nil ? count : count - count / 2)
        sweep(into: &out, upTo: count)
        takeListed(into: &out, upTo: count)
        return out
    }

    /// Takes heads that were read after ``nextUnread(atMost:)`` had handed the namespaces out. It ends the polls that are
    /// behind, and those that waited for no more than this. Nothing that a notice told is taken back by an older read.
    public mutating func learn(heads: [Cursor], into ended: inout [Ended]) {
        for head in heads {
            let namespace = namespaces.find(head.namespace)
            guard namespace != .nowhere else { continue }
            namespaces[namespace].head = max(namespaces[namespace].head, head.revision)
            if namespaces[namespace].state == .reading {
                readingCount -= 1
                // News went missing while it was read: perhaps that of a change that the read was too early for.
                let isCurrent = namespaces[namespace].age == age
                if isCurrent { namespaces[namespace].state = .known } else { list(namespace) }
            }
            if namespaces[namespace].firstInterest == .nowhere { letGo(namespace) }
        }
        // Only now, so that a poll that is behind in several of them is told so in one answer.
        for head in heads {
            let namespace = namespaces.find(head.namespace)
            if namespace != .nowhere { wake(namespace, announcedBy: nil, into: &ended) }
        }
    }

    /// Takes namespaces back whose heads could not be read: they will be handed out again.
    public mutating func unread(_ names: [NamespaceID]) {
        for name in names {
            let namespace = namespaces.find(name)
            guard namespace != .nowhere, namespaces[namespace].state == .reading else { continue }
            readingCount -= 1
            list(namespace)
            if namespaces[namespace].firstInterest == .nowhere { letGo(namespace) }
        }
    }

    /// Whether a head is what the journal says, but for news that is on its way here.
    func isKnown(_ namespace: UInt32) -> Bool {
        namespaces[namespace].state == .known && namespaces[namespace].age == age
    }

    /// News went missing: from now on no head counts as known.
    mutating func noticeGap() {
        age &+= 1
        swept = namespaces.count == 0 ? nil : 0
    }

    /// Adds a namespace to those whose heads are to be read.
    mutating func list(_ namespace: UInt32) {
        namespaces[namespace].state = .listed
        namespaces[namespace].earlier = lastUnread
        namespaces[namespace].later = .nowhere
        if lastUnread == .nowhere { firstUnread = namespace } else { namespaces[lastUnread].later = namespace }
        lastUnread = namespace
        listedCount += 1
    }

    /// Takes a namespace that no poll names out of the table, unless it is being read.
    mutating func letGo(_ namespace: UInt32) {
        switch namespaces[namespace].state {
        case .reading: return
        case .listed: unlist(namespace)
        case .known, .free: break
        }
        namespaces.remove(namespace)
        if namespaces.count == 0 { swept = nil }
    }

    private mutating func unlist(_ namespace: UInt32) {
        let (earlier, later) = (namespaces[namespace].earlier, namespaces[namespace].later)
        if earlier == .nowhere { firstUnread = later } else { namespaces[earlier].later = later }
        if later == .nowhere { lastUnread = earlier } else { namespaces[later].earlier = earlier }
        listedCount -= 1
    }

    private mutating func takeListed(into out: inout [NamespaceID], upTo count: Int) {
        while out.count < count, firstUnread != .nowhere {
            let namespace = firstUnread
            unlist(namespace)
            handOut(namespace, into: &out)
        }
    }

    private mutating func sweep(into out: inout [NamespaceID], upTo count: Int) {
        guard var place = swept else { return }
        while out.count < count, place < namespaces.reach {
            if namespaces[place].state == .known, namespaces[place].age != age { handOut(place, into: &out) }
            place += 1
        }
        swept = place < namespaces.reach ? place : nil
    }

    private mutating func handOut(_ namespace: UInt32, into out: inout [NamespaceID]) {
        namespaces[namespace].state = .reading
        namespaces[namespace].age = age
        readingCount += 1
        out.append(namespaces[namespace].namespace)
    }
}
