/// Some connections to a master, each with a thread of its own: tasks wait without blocking one.
///
/// A connection that broke, or that leads to what is no master any more, is replaced, by asking anew where the master is;
/// what was under way is tried once more when the connection had been idle. Without a connection calls fail at once
/// until the next attempt is due.
final class RedisPool: Sendable {
    private let jobs: RedisJobs
    private let limits: RedisLimits
    private let threads: [RedisThread]

    init(_ endpoint: RedisEndpoint, _ name: String, generator: any RandomNumberGenerator & Sendable) {
        limits = endpoint.limits
        let jobs = RedisJobs(endpoint.limits, generator)
        self.jobs = jobs
        threads = (0..<max(1, endpoint.limits.connections)).map { _ in
            RedisThread(name) {
                var worker = RedisWorker(endpoint: endpoint, jobs: jobs)
                while let job = jobs.next() { worker.serve(job) }
            }
        }
    }

    deinit { jobs.close(threads: threads.count) }

    /// Makes a call on one of the threads. The body may run twice.
    /// - Throws: ``RedisError``, or what the body throws.
    func perform<Answer: Sendable>(
        _ body: @escaping @Sendable (RedisSession) throws -> Answer
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            submit(body) { continuation.resume(with: $0) }
        }
    }

    /// The same without waiting: `done` is called on one of the threads, or at once when the call is not let in.
    func submit<Answer: Sendable>(
        _ body: @escaping @Sendable (RedisSession) throws -> Answer,
        done: @escaping @Sendable (Result<Answer, any Error>) -> Void
    ) {
        let job = RedisJob(
            deadline: ContinuousClock.now + limits.connect + limits.command,
            attempt: { session in
                do {
                    done(.success(try body(session)))
                } catch let error as RedisError {
                    return error
                } catch {
                    done(.failure(error))
                }
                return nil
            },
            fail: { done(.failure($0)) })
        if let refusal = jobs.add(job) { done(.failure(refusal)) }
    }

    /// Waits for the calls that run, then hangs up.
    func close() async {
        jobs.close(threads: threads.count)
        for thread in threads { await thread.wait() }
    }
}

/// What one thread of a pool does.
private struct RedisWorker {
    let endpoint: RedisEndpoint
    let jobs: RedisJobs
    private var session: RedisSession?

    init(endpoint: RedisEndpoint, jobs: RedisJobs) {
        self.endpoint = endpoint
        self.jobs = jobs
    }

    mutating func serve(_ job: RedisJob) {
        if ContinuousClock.now >= job.deadline {
            return job.fail(RedisError(.timedOut, "the call waited too long for a connection to Redis"))
        }
        do throws(RedisError) {
            let isOld = session != nil
            if isOld, try attempt(job, isLast: false) { return }
            if session == nil { session = try open() }
            _ = try attempt(job, isLast: true)
        } catch {
            job.fail(error)
        }
    }

    /// Whether the job was answered; false when it may be tried with another connection.
    private mutating func attempt(_ job: RedisJob, isLast: Bool) throws(RedisError) -> Bool {
        guard let session else { return false }
        var failure: RedisError?
        do throws(RedisError) {
            try session.recheck()
        } catch {
            failure = error
        }
        if failure == nil { failure = job.attempt(session) }
        guard let failure else { return true }
        if failure.isConnectionSpent { self.session = nil }
        if isLast || !failure.isWorthAnotherConnection { throw failure }
        return false
    }

    private func open() throws(RedisError) -> RedisSession {
        if let refusal = jobs.refusal { throw refusal }
        do throws(RedisError) {
            let session = try RedisFinder.open(endpoint)
            jobs.connected()
            return session
        } catch {
            jobs.failed(error)
            throw error
        }
    }
}
