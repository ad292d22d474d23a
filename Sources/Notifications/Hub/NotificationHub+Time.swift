extension NotificationHub {
    /// Ends a poll whose connection is gone; one that has ended stays as it is.
    public mutating func disconnect(_ ticket: PollTicket, into ended: inout [Ended]) {
        if let poll = place(of: ticket) { end(poll, .disconnected, into: &ended) }
    }

    /// Ends a poll that does not want to wait longer; one that has ended stays as it is.
    public mutating func expire(_ ticket: PollTicket, into ended: inout [Ended]) {
        if let poll = place(of: ticket) { end(poll, .timedOut, into: &ended) }
    }

    /// Moves the time to `now`, in seconds from any fixed moment, and ends the polls whose time is over. Time does not go back.
    ///
    /// Polls that wait for longer than the wheel takes to turn, a little more than an hour, are looked at once a turn.
    public mutating func advance(to now: UInt64, into ended: inout [Ended]) {
        guard now > second else { return }
        let before = second
        let passed = now - before
        second = now
        revocations.advance(to: now)
        for step in 1...min(passed, UInt64(Self.wheelSize)) {
            var poll = wheel[Int((before &+ step) % UInt64(Self.wheelSize))]
            while poll != .nowhere {
                let later = polls[poll].later
                let left = polls[poll].deadline &- UInt32(truncatingIfNeeded: before)
                if UInt64(left) <= passed { end(poll, .timedOut, into: &ended) }
                poll = later
            }
        }
    }

    /// Ends up to `count` polls because the server stops. From the first call on, polls that come end at once.
    public mutating func drain(atMost count: Int, into ended: inout [Ended]) {
        var place = drained ?? 0
        var left = count
        while left > 0, place < polls.reach {
            if polls[place].stamp != 0 {
                end(place, .closing, into: &ended)
                left -= 1
            }
            place += 1
        }
        drained = place
    }

    /// Puts a poll into the list of its deadline.
    mutating func arm(_ poll: UInt32) {
        let list = Int(polls[poll].deadline) % Self.wheelSize
        let first = wheel[list]
        polls[poll].later = first
        if first != .nowhere { polls[first].earlier = poll }
        wheel[list] = poll
    }

    /// Takes a poll out of the list of its deadline.
    mutating func disarm(_ poll: UInt32) {
        let (earlier, later) = (polls[poll].earlier, polls[poll].later)
        if later != .nowhere { polls[later].earlier = earlier }
        if earlier != .nowhere {
            polls[earlier].later = later
        } else {
            wheel[Int(polls[poll].deadline) % Self.wheelSize] = later
        }
    }
}
