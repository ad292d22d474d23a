import Glibc
import Model
import Notifications
import WireProtocol

/// What requests are answered with.
extension ReactorLoop {
    /// Answers a whole request, or parks its poll.
    mutating func answer(_ descriptor: Int32, _ request: RequestParser, _ bytes: UnsafeRawBufferPointer) {
        if request.closes { table[descriptor].pointee.flags.insert(.closes) }
        switch request.route {
        case .poll:
            if let problem = park(descriptor, request, bytes) { refuse(descriptor, problem) }
        case .health: tell(descriptor, "ok\n")
        case .ready: phase == .running ? tell(descriptor, "ready\n") : refuse(descriptor, .stopping)
        case .metrics: tell(descriptor, ReactorMetrics.text(shared.counts, desk: shared.desk.statistics))
        case .unknown: refuse(descriptor, .notFound)
        case .onlyPost: refuse(descriptor, .onlyPost)
        case .onlyGet: refuse(descriptor, .onlyGet)
        }
    }

    /// Parks a poll.
    /// - Returns: Why it is not parked; nil when it is.
    private mutating func park(
        _ descriptor: Int32, _ request: RequestParser, _ bytes: UnsafeRawBufferPointer
    ) -> ReactorProblem? {
        guard !request.token.isEmpty else { return .noToken }
        let token: PollToken
        let timeout: UInt32
        do throws(TokenError) {
            let text = UnsafeRawBufferPointer(rebasing: bytes[request.token])
            token = try PollToken.verify(text, keys: shared.keys, now: wallSecond)
        } catch {
            return error == .expired ? .expiredToken : .badToken
        }
        do throws(WireError) {
            timeout = try PollRequest.read(UnsafeRawBufferPointer(rebasing: bytes[request.body]), into: &cursors)
        } catch {
            return error.code == .tooLarge ? .tooLarge : .unreadable
        }
        guard !cursors.isEmpty else { return .noNamespace }
        for cursor in cursors where !token.namespaces.contains(cursor.namespace) { return .forbidden }
        return park(descriptor, token.device, min(timeout, shared.configuration.longestPoll))
    }

    private mutating func park(_ descriptor: Int32, _ device: DeviceID, _ timeout: UInt32) -> ReactorProblem? {
        guard parked < shared.plan.polls else { return .full(retryAfter: delay()) }
        // From here on the end may come, on whatever thread: it waits in the mailbox until this round is over.
        table[descriptor].pointee.generation &+= 1
        let owner = PollOwner(
            loop: index, descriptor: descriptor, generation: table[descriptor].pointee.generation)
        let ticket: PollTicket
        do throws(PollError) {
            ticket = try shared.gate.pass { () throws(PollError) in
                try shared.desk.park(
                    driver: shared.driver, device: device, cursors: cursors, timeout: timeout, owner: owner.number)
            }
        } catch {
            switch error {
            case .overloaded: return .full(retryAfter: delay())
            case .refused(let seconds): return .full(retryAfter: seconds)
            }
        }
        table[descriptor].pointee.ticket = ticket
        queues.move(descriptor, to: .parked, now: now)
        parked += 1
        counts.parked += 1
        return nil
    }

    /// After how many seconds a device shall come back: not all at the same time.
    private mutating func delay() -> UInt32 { UInt32.random(in: 5...15, using: &generator) }

    /// Tells a poll how it ended, unless its connection is gone or has gone on.
    mutating func finish(_ ended: NotificationHub.Ended) {
        let owner = PollOwner(number: ended.owner)
        let descriptor = owner.descriptor
        let connection = table[descriptor].pointee
        guard connection.state == .parked, connection.loop == UInt8(index),
            owner == PollOwner(loop: index, descriptor: descriptor, generation: connection.generation)
        else { return }
        table[descriptor].pointee.ticket = nil
        parked -= 1
        counts.answered += 1
        switch ended.answer {
        case .moved(let moved): tell(descriptor, moved)
        case .timedOut, .replaced: tell(descriptor, [])
        case .closing:
            table[descriptor].pointee.flags.insert(.closes)
            tell(descriptor, [])
        case .revoked: refuse(descriptor, .revoked)
        case .disconnected: return disconnect(descriptor)
        }
        resume(descriptor)
    }

    private mutating func tell(_ descriptor: Int32, _ moved: [MovedNamespace]) {
        writer.moved(moved, closes: endsWithAnswer(descriptor))
        send(descriptor)
    }

    private mutating func tell(_ descriptor: Int32, _ text: String) {
        writer.text(text, closes: endsWithAnswer(descriptor))
        send(descriptor)
    }

    private mutating func refuse(_ descriptor: Int32, _ problem: ReactorProblem) {
        if problem.retryAfter != nil {
            counts.refused += 1
            // Whoever comes back later takes no room until then.
            table[descriptor].pointee.flags.insert(.closes)
        } else if problem.number == 401 {
            counts.unauthorized += 1
        }
        writer.problem(problem, closes: endsWithAnswer(descriptor))
        send(descriptor)
    }

    /// Answers bytes that are no request. The connection ends.
    mutating func refuse(_ descriptor: Int32, _ fault: RequestFault) {
        counts.faults += 1
        table[descriptor].pointee.flags.formUnion([.closes, .hasInput])
        writer.problem(ReactorProblem(fault), closes: true)
        send(descriptor)
    }

    /// Whether the connection ends with the answer that is written now.
    private mutating func endsWithAnswer(_ descriptor: Int32) -> Bool {
        if phase != .running { table[descriptor].pointee.flags.insert(.closes) }
        return table[descriptor].pointee.flags.contains(.closes)
    }
}
