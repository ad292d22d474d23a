import Model

/// A parked poll, 48 bytes.
struct PollSlot: KeyedSlot {
    let device: DeviceID
    let owner: UInt64
    /// Which of all polls this is; 0 while the place is free.
    var stamp: UInt32
    /// The second, modulo 2^32, in which the poll ends.
    var deadline: UInt32
    /// The first of its interests.
    var firstInterest: UInt32 = .nowhere
    /// The polls beside it in its list of the wheel.
    var earlier: UInt32 = .nowhere
    var later: UInt32 = .nowhere
    var link: UInt32 = .nowhere

    var key: DeviceID { device }

    mutating func clear() { stamp = 0 }
}

/// That a poll follows a namespace, and from where: 32 bytes.
struct InterestSlot: Slot {
    var seen: Revision
    let poll: UInt32
    let namespace: UInt32
    /// The interests beside it in the list of its namespace.
    var earlier: UInt32 = .nowhere
    var later: UInt32
    /// The next one of the same poll.
    var link: UInt32
    /// Whether the poll ends as soon as all its heads are known.
    let onlyLooks: Bool

    mutating func clear() {}
}

/// A namespace that parked polls name, 48 bytes.
struct NamespaceSlot: KeyedSlot {
    enum State: UInt8 {
        case free
        /// In the list of those whose head is to be read.
        case listed
        /// Handed out to be read. It stays in the table until it comes back, so that it hears what is told meanwhile.
        case reading
        /// Its head was read, and nothing was missed unless the age of the hub is another since.
        case known
    }

    let namespace: NamespaceID
    /// The newest revision that was told or read.
    var head = Revision.zero
    var firstInterest: UInt32 = .nowhere
    /// The namespaces beside it in the list of those to be read.
    var earlier: UInt32 = .nowhere
    var later: UInt32 = .nowhere
    /// The age of the hub when the reading of the head began.
    var age: UInt32 = 0
    var link: UInt32 = .nowhere
    var state = State.listed

    var key: NamespaceID { namespace }

    mutating func clear() { state = .free }
}
