import Dispatch
import Synchronization

/// Waits for what other processes do, which tell nothing of it.
package enum Patience {
    package struct IsOver: Error {}

    /// Tries again, every few milliseconds, until it is so. Gives up after ten seconds.
    package static func until(_ isSo: () async throws -> Bool) async throws {
        for _ in 0..<500 {
            if try await isSo() { return }
            await aMoment(20)
        }
        throw IsOver()
    }

    package static func aMoment(_ milliseconds: Int) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { continuation.resume() }
        }
    }
}

/// A time that tests move.
package final class HandTime: Sendable {
    private let time = Mutex(Duration.zero)

    package init() {}

    package var now: Duration { time.withLock { $0 } }

    package func advance(by duration: Duration) { time.withLock { $0 += duration } }
}
