import Synchronization

/// How many bytes and requests went over the wire.
public struct Traffic: Hashable, Sendable, Codable {
    /// Bytes sent: bodies as they travel, plus the text of request lines and headers.
    public var sent: UInt64
    /// Bytes received, counted the same way.
    public var received: UInt64
    /// How many requests were made, retries among them.
    public var requests: UInt64

    /// Makes a count of its parts.
    public init(sent: UInt64 = 0, received: UInt64 = 0, requests: UInt64 = 0) {
        self.sent = sent
        self.received = received
        self.requests = requests
    }

    /// What was added since an earlier count.
    public static func - (left: Traffic, right: Traffic) -> Traffic {
        Traffic(
            sent: left.sent &- right.sent, received: left.received &- right.received,
            requests: left.requests &- right.requests)
    }

    /// The sum of two counts.
    public static func + (left: Traffic, right: Traffic) -> Traffic {
        Traffic(
            sent: left.sent &+ right.sent, received: left.received &+ right.received,
            requests: left.requests &+ right.requests)
    }
}

/// Counts traffic from any task.
public final class TrafficCounter: Sendable {
    private let state = Mutex(Traffic())

    /// Makes a counter at zero.
    public init() {}

    /// The count now.
    public var current: Traffic { state.withLock { $0 } }

    func sent(_ bytes: Int) {
        state.withLock {
            $0.sent &+= UInt64(bytes)
            $0.requests &+= 1
        }
    }

    func received(_ bytes: Int) {
        state.withLock { $0.received &+= UInt64(bytes) }
    }
}
