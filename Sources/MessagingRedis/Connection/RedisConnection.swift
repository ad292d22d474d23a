import CHiredis
import Glibc

/// One connection to a server, for one thread. No call takes longer than its deadline: the socket never blocks, and waiting
/// is done here.
final class RedisConnection {
    private let context: UnsafeMutablePointer<redisContext>

    /// Connects. Only the look-up of a name may take longer than the deadline.
    init(to address: RedisAddress, until deadline: Deadline) throws(RedisError) {
        guard let context = redisConnectNonBlock(address.host, Int32(address.port)) else {
            throw RedisError(.unreachable, "there is no memory for a connection to \(address)")
        }
        self.context = context
        do throws(RedisError) {
            try check()
            try wait(for: Int16(POLLOUT), until: deadline)
            var number: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
            if number != 0 { throw RedisError(.unreachable, String(cString: strerror(number))) }
        } catch {
            throw RedisError(error.code, "can't connect to Redis at \(address): \(error.message)")
        }
    }

    deinit { redisFree(context) }

    var descriptor: Int32 { context.pointee.fd }

    /// Does a command and returns its answer.
    /// - Throws: ``RedisError``, also for an answer that is an error.
    func call(_ command: RedisCommand, until deadline: Deadline) throws(RedisError) -> RedisReply {
        let reply = try pipeline([command], until: deadline)[0]
        if case .error(let message) = reply { throw RedisError(answer: message) }
        return reply
    }

    /// Sends commands together and returns the answers to all of them, errors among them.
    func pipeline(_ commands: [RedisCommand], until deadline: Deadline) throws(RedisError) -> [RedisReply] {
        for command in commands { try append(command) }
        try flush(until: deadline)
        var replies: [RedisReply] = []
        while replies.count < commands.count {
            if let reply = try nextReply() {
                replies.append(reply)
            } else {
                try wait(for: Int16(POLLIN), until: deadline)
                try read()
            }
        }
        return replies
    }

    /// Puts a command where the next ``flush(until:)`` takes it.
    func append(_ command: RedisCommand) throws(RedisError) {
        let lengths = command.words.map(\.count)
        let bytes = Array(command.words.joined())
        let status = bytes.withUnsafeBytes { buffer in
            var pointers: [UnsafePointer<CChar>?] = []
            var offset = 0
            for length in lengths {
                pointers.append(buffer.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) })
                offset += length
            }
            return redisAppendCommandArgv(context, Int32(lengths.count), &pointers, lengths)
        }
        if status != REDIS_OK { try check() }
    }

    /// Sends what was put there.
    func flush(until deadline: Deadline) throws(RedisError) {
        var isDone: Int32 = 0
        while true {
            if redisBufferWrite(context, &isDone) != REDIS_OK { try check() }
            if isDone != 0 { return }
            try wait(for: Int16(POLLOUT), until: deadline)
        }
    }

    /// Takes from the socket what is there.
    func read() throws(RedisError) {
        if redisBufferRead(context) != REDIS_OK { try check() }
    }

    /// The next answer that has come as a whole.
    func nextReply() throws(RedisError) -> RedisReply? {
        var found: UnsafeMutableRawPointer?
        if redisGetReplyFromReader(context, &found) != REDIS_OK { try check() }
        guard let found else { return nil }
        defer { freeReplyObject(found) }
        return try RedisReply(UnsafePointer(found.assumingMemoryBound(to: redisReply.self)))
    }

    private func wait(for events: Int16, until deadline: Deadline) throws(RedisError) {
        while true {
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let count = poll(&entry, 1, deadline.milliseconds)
            if count > 0 { return }
            if count < 0, errno == EINTR { continue }
            if deadline.isOver { throw RedisError(.timedOut, "Redis did not answer in time") }
        }
    }

    private func check() throws(RedisError) {
        let number = errno
        switch context.pointee.err {
        case 0: return
        case REDIS_ERR_IO:
            throw RedisError(.unreachable, "the connection to Redis broke: \(String(cString: strerror(number)))")
        case REDIS_ERR_EOF: throw RedisError(.unreachable, "Redis closed the connection")
        case REDIS_ERR_PROTOCOL: throw RedisError(.malformed, "what Redis sent is not of its protocol")
        default: throw RedisError(.unreachable, text)
        }
    }

    private var text: String {
        withUnsafeBytes(of: context.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
