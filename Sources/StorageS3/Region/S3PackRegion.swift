import Model
public import Storage
import Synchronization

/// Keeps packs as objects of a bucket, any number of processes at a time.
///
/// A pack is one object, whole from the moment at which it is there. It is changed only by rewriting it all, on
/// condition that nobody else has done so meanwhile.
public final class S3PackRegion: PackRegion {
    struct State: Sendable {
        var health = RegionHealth()
        var latency = LatencyRecord()
        var isClosed = false
    }

    /// The region's name.
    public let name: String
    /// What speaks with the server.
    public let client: S3Client
    let keys: RegionKeys
    let storageClass: String?
    let identity: RegionID?
    let state = Mutex(State())
    private let clock = ContinuousClock()

    init(name: String, client: S3Client, keys: RegionKeys, storageClass: String?, identity: RegionID?) {
        self.name = name
        self.client = client
        self.keys = keys
        self.storageClass = storageClass
        self.identity = identity
    }

    /// Whether it has failed so often that requests are refused at once.
    public var isDown: Bool { state.withLock { $0.health.isDown } }

    /// The middle and the slow end of the last answers; nil when too few were seen.
    var latency: (median: Duration, slow: Duration)? {
        state.withLock { state in
            guard let median = state.latency.median, let slow = state.latency.slow else { return nil }
            return (median, slow)
        }
    }

    /// Looks whether the bucket is there, and the right one.
    /// - Throws: ``StorageError`` `unavailable` when it can't be reached, or bears the mark of another region.
    public func open() async throws {
        if isDown { await lookAgain() }
        guard let identity else { return try await reach() }
        let found = try await mark()
        guard found == identity else {
            throw StorageError(
                .unavailable, "region \(name): \(client.endpoint) is not region \(identity)",
                cause: found.map { "it is region \($0)" } ?? "it bears no mark")
        }
    }

    /// Looks whether the bucket answers; one that is down is not asked before it is time for that.
    func reach() async throws(StorageError) {
        try await call("reaching it") { client throws(S3Failure) in try await client.probe() }
    }

    /// Finds out whether a region that is down is back, without waiting until that is due.
    package func lookAgain() async {
        guard state.withLock({ $0.health.beginProbe() }) else { return }
        _ = await probe()
    }

    /// Writes a few bytes.
    public func check() async throws {
        _ = try await call("writing a probe") { client throws(S3Failure) in
            try await client.put(self.keys.probe, Array("cairn\n".utf8))
        }
    }

    /// Lets the connections go.
    public func close() async throws {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if wasClosed { return }
        do { try await client.shutdown() } catch {
            throw StorageError(.io, "region \(name): closing it", cause: "\(error)")
        }
    }

    /// Makes requests, unless the region is down, and takes note of how it went.
    func call<Answer: Sendable>(
        _ what: @autoclosure () -> String, _ body: (S3Client) async throws(S3Failure) -> Answer
    ) async throws(StorageError) -> Answer {
        do {
            return try await attempt(body)
        } catch {
            throw error.storageError(in: name, what())
        }
    }

    /// The same with the failure as it came.
    func attempt<Answer: Sendable>(
        _ body: (S3Client) async throws(S3Failure) -> Answer
    ) async throws(S3Failure) -> Answer {
        let (admission, isClosed) = state.withLock { ($0.health.admit(at: clock.now), $0.isClosed) }
        if isClosed { throw S3Failure(.cancelled, "the region is closed") }
        var isUp = admission == .pass
        if admission == .probe { isUp = await probe() }
        guard isUp else { throw S3Failure(.unreachable, "it is down") }
        do {
            let answer = try await body(client)
            state.withLock { $0.health.succeeded() }
            return answer
        } catch {
            state.withLock { state in
                if error.isOutage {
                    state.health.failed(at: clock.now)
                } else if error.status > 0 {
                    state.health.succeeded()
                }
            }
            throw error
        }
    }

    private func probe() async -> Bool {
        do throws(S3Failure) {
            try await client.probe()
            state.withLock { $0.health.succeeded() }
            return true
        } catch {
            state.withLock { $0.health.probeFailed(at: clock.now) }
            return false
        }
    }
}
