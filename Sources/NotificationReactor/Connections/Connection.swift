import Notifications

/// What is known of one connection: a plain struct of 40 bytes, at the place of its descriptor in a ``ConnectionTable``.
struct Connection: BitwiseCopyable {
    /// What it waits for.
    enum State: UInt8, BitwiseCopyable {
        /// The descriptor is not a connection of ours.
        case free
        /// The first byte of a request.
        case idle
        /// The rest of a request.
        case receiving
        /// The end of its poll.
        case parked
        /// Room for the rest of an answer.
        case sending
        /// The peer's end, after the last answer: what still comes is thrown away.
        case lingering
    }

    /// What else there is to know.
    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt8

        /// Bytes came while it was not read.
        static let hasInput = Flags(rawValue: 1)
        /// It ends with the answer that is being waited for or sent.
        static let closes = Flags(rawValue: 2)
        /// The loop's epoll knows it.
        static let isWatched = Flags(rawValue: 4)
        /// Epoll tells when there is room to send.
        static let awaitsRoom = Flags(rawValue: 8)
    }

    /// The poll that is parked.
    var ticket: PollTicket?
    /// Grows with each poll at this place, so that the end of an earlier one is not taken for the present one's.
    var generation: UInt32 = 0
    /// The second at which it is closed unless it moves on.
    var deadline: UInt32 = 0
    /// Its neighbours in the queue of those that wait for the same thing; below 0 for none.
    var next: Int32 = -1
    var previous: Int32 = -1
    /// The buffers that hold bytes of a request that is not whole yet, and of an answer that is not sent yet; below 0 for
    /// none.
    var input: Int32 = -1
    var output: Int32 = -1
    var state = State.free
    var flags: Flags = []
    /// Which loop it belongs to.
    var loop: UInt8 = 0
}
