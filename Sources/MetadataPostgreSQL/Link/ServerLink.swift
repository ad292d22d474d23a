import CPQ
import Glibc
import Metadata

/// One connection of libpq, always in pipeline mode, used by one thread.
///
/// Commands go out together and their answers come back in order, with one wait for all of them. Every wait has an end:
/// a server that is frozen, or a network that swallows everything, costs a deadline and not a thread.
final class ServerLink {
    private let raw: OpaquePointer
    private let notices = Notices()

    /// Connects. Blocks until a server that fits has been found among those of the string, or none.
    /// - Throws: ``LinkLost`` when there is none.
    init(_ string: ConnectionString) throws {
        let options = string.options.sorted { $0.key < $1.key }
        let keywords = CStringArray(options.map(\.key))
        let values = CStringArray(options.map(\.value))
        guard let raw = PQconnectdbParams(keywords.pointer, values.pointer, 0) else {
            throw LinkLost(cause: "there is no memory for a connection")
        }
        self.raw = raw
        notices.receive(from: raw)
        guard PQstatus(raw) == CONNECTION_OK, PQsetnonblocking(raw, 1) == 0, PQenterPipelineMode(raw) == 1 else {
            // All is in place by now, so that `deinit` runs, and lets go of what libpq has.
            throw LinkLost(cause: PQerrorMessage(raw).map { String(cString: $0).trimmed } ?? "no message")
        }
    }

    deinit {
        PQfinish(raw)
    }

    // MARK: What libpq knows

    /// The version of the server: 150018 for 15.18.
    var serverVersion: Int { Int(PQserverVersion(raw)) }

    /// Whether a transaction is open, and sound.
    var isInTransaction: Bool { PQtransactionStatus(raw) == PQTRANS_INTRANS }

    /// The last value that the server reported of one of the parameters that it reports by itself.
    func parameter(_ name: String) -> String? { PQparameterStatus(raw, name).map { String(cString: $0) } }

    /// Whether a new transaction may be begun: nobody has ended the connection meanwhile, and the server still takes
    /// writes. Does not wait.
    func isUsable() -> Bool {
        var descriptor = pollfd(fd: PQsocket(raw), events: Int16(POLLIN), revents: 0)
        if poll(&descriptor, 1, 0) != 0, PQconsumeInput(raw) != 1 { return false }
        return PQstatus(raw) == CONNECTION_OK && PQtransactionStatus(raw) == PQTRANS_IDLE
            && parameter("in_hot_standby") != "on" && parameter("default_transaction_read_only") != "on"
    }

    /// The warnings that came since the last call.
    func takeWarnings() -> [String] { notices.take() }

    // MARK: Commands

    /// Sends commands and reads their answers, one for each.
    /// - Parameters:
    ///   - commands: What to send, in order.
    ///   - limit: How long all of them together may take.
    ///   - firstLimit: How long the first alone may take, whose answer the server then sends before it goes on.
    /// - Returns: the answers, as many as there are commands.
    /// - Throws: ``LinkLost``; what has become of the commands is not known then. ``MetadataError`` `corrupt` for an
    ///   answer that can't be read.
    func exchange(
        _ commands: [LinkCommand], within limit: Duration, firstWithin firstLimit: Duration? = nil
    ) throws -> [Answer] {
        let start = ContinuousClock.now
        for (index, command) in commands.enumerated() {
            try check(send(command))
            if index == 0, firstLimit != nil { try check(PQsendFlushRequest(raw)) }
        }
        try check(PQpipelineSync(raw))
        try flush(until: start + limit)
        var answers: [Answer] = []
        var unreadable: (any Error)?
        for index in commands.indices {
            let end = index == 0 ? start + min(firstLimit ?? limit, limit) : start + limit
            do {
                let answer = try answer(until: end)
                // The server says why, and goes.
                if case .refused(let error) = answer, error.isFatal { throw LinkLost(cause: error.message) }
                answers.append(answer)
            } catch let error as MetadataError {
                unreadable = error
                answers.append(.skipped)
            }
        }
        try awaitSync(until: start + limit)
        if let unreadable { throw unreadable }
        return answers
    }

    private func send(_ command: LinkCommand) -> Int32 {
        switch command {
        case .text(let sql):
            PQsendQueryParams(raw, sql, 0, nil, nil, nil, nil, 1)
        case .prepare(let name, let sql, let types):
            PQsendPrepare(raw, name, sql, Int32(clamping: types.count), types)
        case .run(let name, let parameters):
            parameters.withPointers { count, values, lengths, forms in
                PQsendQueryPrepared(raw, name, count, values, lengths, forms, 1)
            }
        }
    }

    /// The answer to the next command.
    private func answer(until deadline: ContinuousClock.Instant) throws -> Answer {
        var answer: Answer?
        var failure: (any Error)?
        while let result = try nextResult(until: deadline) {
            defer { PQclear(result) }
            do { answer = try Answer(result) } catch { failure = error }
        }
        if let failure { throw failure }
        guard let answer else { throw lost() }
        return answer
    }

    private func awaitSync(until deadline: ContinuousClock.Instant) throws {
        guard let result = try nextResult(until: deadline) else { throw lost() }
        defer { PQclear(result) }
        if PQresultStatus(result) != PGRES_PIPELINE_SYNC { throw lost() }
    }

    /// The next result, or nil between the results of two commands.
    private func nextResult(until deadline: ContinuousClock.Instant) throws -> OpaquePointer? {
        while PQisBusy(raw) == 1 {
            try wait(for: POLLIN, until: deadline)
            try check(PQconsumeInput(raw))
        }
        return PQgetResult(raw)
    }

    private func flush(until deadline: ContinuousClock.Instant) throws {
        while true {
            let left = PQflush(raw)
            if left == 0 { return }
            try check(left)
            // A server that can't get rid of its answers does not read either.
            if try wait(for: POLLIN | POLLOUT, until: deadline) & POLLIN != 0 { try check(PQconsumeInput(raw)) }
        }
    }

    @discardableResult
    private func wait(for events: Int32, until deadline: ContinuousClock.Instant) throws -> Int32 {
        while true {
            let left = deadline - .now
            guard left > .zero else { throw LinkLost(cause: "the server did not answer in time") }
            var descriptor = pollfd(fd: PQsocket(raw), events: Int16(events), revents: 0)
            let count = poll(&descriptor, 1, Int32(clamping: left.milliseconds + 1))
            if count > 0 { return Int32(descriptor.revents) }
            if count < 0, errno != EINTR { throw LinkLost(cause: "poll failed with errno \(errno)") }
        }
    }

    private func check(_ success: Int32) throws {
        if success != 1 { throw lost() }
    }

    private func lost() -> LinkLost {
        LinkLost(cause: PQerrorMessage(raw).map { String(cString: $0).trimmed } ?? "no message")
    }
}

/// What can be sent to a server.
enum LinkCommand {
    /// A statement without values, that is not kept.
    case text(String)
    /// Prepares a statement by a name.
    case prepare(name: String, sql: String, types: [Oid])
    /// Runs a prepared statement.
    case run(name: String, Parameters)
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// Strings as C wants a list of them, with an end mark.
private final class CStringArray {
    private let pointers: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>

    init(_ strings: [String]) {
        pointers = .allocate(capacity: strings.count + 1)
        pointers.initialize(repeating: nil)
        for (index, string) in strings.enumerated() { pointers[index] = UnsafePointer(strdup(string)) }
    }

    var pointer: UnsafePointer<UnsafePointer<CChar>?>? { pointers.baseAddress.map { UnsafePointer($0) } }

    deinit {
        for pointer in pointers { free(UnsafeMutableRawPointer(mutating: pointer)) }
        pointers.deallocate()
    }
}
