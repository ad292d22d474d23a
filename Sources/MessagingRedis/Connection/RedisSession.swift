import Glibc

/// A connection to a master, logged in, for one thread.
final class RedisSession {
    let connection: RedisConnection
    let address: RedisAddress
    /// Names the run of the server and its history: another one may have lost what this one acknowledged.
    let run: String
    /// The first number of its version.
    let version: Int
    private let limits: RedisLimits
    private var checked = ContinuousClock.now
    /// The names under which the server knows scripts, by their text.
    private var scripts: [String: String] = [:]

    init(to address: RedisAddress, _ endpoint: RedisEndpoint, until deadline: Deadline) throws(RedisError) {
        self.address = address
        limits = endpoint.limits
        connection = try RedisConnection(to: address, until: deadline)
        do throws(RedisError) {
            try Self.logIn(connection, endpoint.user, endpoint.password, until: deadline)
            if endpoint.database != 0 {
                _ = try connection.call(["SELECT", "\(endpoint.database)"], until: deadline)
            }
            let server = try Self.facts(try connection.call(["INFO", "server"], until: deadline))
            version = server["redis_version"].flatMap { Int($0.prefix { $0 != "." }) } ?? 0
            run = "\(server["run_id"] ?? "")-\(try Self.history(of: connection, until: deadline))"
        } catch {
            throw RedisError(error.code, "Redis at \(address): \(error.message)")
        }
    }

    static func logIn(
        _ connection: RedisConnection, _ user: String?, _ password: String?, until deadline: Deadline
    ) throws(RedisError) {
        guard let password else { return }
        var command: RedisCommand = ["AUTH"]
        if let user { command.append(user) }
        command.append(password)
        _ = try connection.call(command, until: deadline)
    }

    /// Makes sure that the server is still the master that it was.
    func recheck() throws(RedisError) {
        guard checked.duration(to: .now) >= limits.recheck else { return }
        let history = try Self.history(of: connection, until: Deadline(in: limits.command))
        guard run.hasSuffix("-" + history) else {
            throw RedisError(.notMaster, "Redis at \(address) has become another master")
        }
        checked = .now
    }

    /// The name of the master's history.
    private static func history(
        of connection: RedisConnection, until deadline: Deadline
    ) throws(RedisError) -> String {
        let facts = try facts(try connection.call(["INFO", "replication"], until: deadline))
        guard facts["role"] == "master" else { throw RedisError(.notMaster, "the server is no master") }
        return facts["master_replid"] ?? ""
    }

    private static func facts(_ reply: RedisReply) throws(RedisError) -> [String: String] {
        var facts: [String: String] = [:]
        for line in try reply.text().split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            facts[String(line[..<colon])] = String(line[line.index(after: colon)...])
        }
        return facts
    }

    /// A part of what the server tells of itself.
    func facts(_ section: String) throws(RedisError) -> [String: String] {
        try Self.facts(try call(["INFO", section]))
    }

    func call(_ command: RedisCommand) throws(RedisError) -> RedisReply {
        try connection.call(command, until: Deadline(in: limits.command))
    }

    func pipeline(_ commands: [RedisCommand]) throws(RedisError) -> [RedisReply] {
        try connection.pipeline(commands, until: Deadline(in: limits.command))
    }

    /// Runs a script, which the server is given once.
    /// - Parameters:
    ///   - script: its text.
    ///   - key: its one key.
    ///   - words: its other arguments.
    ///   - copies: how many replicas have to have what it wrote before it counts as done.
    /// - Returns: Its answer.
    /// - Throws: ``RedisError``, also for an answer that is an error.
    func run(
        _ script: String, key: String, _ words: [[UInt8]], copies: Int = 0
    ) throws(RedisError) -> RedisReply {
        let name: String
        if let known = scripts[script] {
            name = known
        } else {
            name = try call(["SCRIPT", "LOAD", script]).text()
            scripts[script] = name
        }
        var reply = try evaluate(["EVALSHA", name, "1", key], words, copies)
        if case .error(let message) = reply, message.hasPrefix("NOSCRIPT") {
            reply = try evaluate(["EVAL", script, "1", key], words, copies)
        }
        if case .error(let message) = reply { throw RedisError(answer: message) }
        return reply
    }

    private func evaluate(
        _ command: RedisCommand, _ words: [[UInt8]], _ copies: Int
    ) throws(RedisError) -> RedisReply {
        let whole = RedisCommand(command.words + words)
        if copies == 0 { return try pipeline([whole])[0] }
        // Somewhat less than the command may take as a whole.
        let patience = limits.command.milliseconds * 3 / 4
        let replies = try pipeline([whole, ["WAIT", "\(copies)", "\(patience)"]])
        if case .error = replies[0] { return replies[0] }
        guard try replies[1].integer() >= copies else {
            throw RedisError(.timedOut, "not \(copies) replicas of Redis at \(address) took a write in time")
        }
        return replies[0]
    }
}
