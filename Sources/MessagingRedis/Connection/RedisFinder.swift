/// Finds the master.
enum RedisFinder {
    /// Connects to the master and logs in.
    static func open(_ endpoint: RedisEndpoint) throws(RedisError) -> RedisSession {
        switch endpoint.location {
        case .server(let address):
            return try RedisSession(to: address, endpoint, until: Deadline(in: endpoint.limits.connect))
        case .sentinels(let sentinels, let master):
            // What the last one says is kept as the reason when none leads to a master.
            var reason = RedisError(.unreachable, "no Sentinel is named")
            for sentinel in sentinels {
                do throws(RedisError) {
                    let address = try ask(sentinel, for: master, endpoint)
                    return try RedisSession(to: address, endpoint, until: Deadline(in: endpoint.limits.connect))
                } catch {
                    if error.code == .refused { throw error }
                    reason = error
                }
            }
            throw reason
        }
    }

    private static func ask(
        _ sentinel: RedisAddress, for master: String, _ endpoint: RedisEndpoint
    ) throws(RedisError) -> RedisAddress {
        let deadline = Deadline(in: endpoint.limits.sentinel)
        let connection = try RedisConnection(to: sentinel, until: deadline)
        do throws(RedisError) {
            try RedisSession.logIn(connection, nil, endpoint.sentinelPassword, until: deadline)
            let reply = try ask(connection, for: master, endpoint, until: deadline)
            if reply == .null { throw RedisError(.unreachable, "it knows no master named '\(master)'") }
            let parts = try reply.array()
            guard parts.count == 2 else { throw RedisReply.unexpected }
            return RedisAddress(host: try parts[0].text(), port: Int(clamping: try parts[1].integer()))
        } catch {
            throw RedisError(error.code, "Sentinel at \(sentinel): \(error.message)")
        }
    }

    /// Sentinels mostly want no password. Those that do are told that of the server when no other was named.
    private static func ask(
        _ connection: RedisConnection, for master: String, _ endpoint: RedisEndpoint, until deadline: Deadline
    ) throws(RedisError) -> RedisReply {
        let question: RedisCommand = ["SENTINEL", "get-master-addr-by-name", master]
        do throws(RedisError) {
            return try connection.call(question, until: deadline)
        } catch {
            guard error.code == .refused, endpoint.sentinelPassword == nil, let password = endpoint.password else {
                throw error
            }
            try RedisSession.logIn(connection, nil, password, until: deadline)
            return try connection.call(question, until: deadline)
        }
    }
}
