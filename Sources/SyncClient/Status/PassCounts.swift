import Synchronization

/// What a pass did, or all passes together.
public struct PassCounts: Codable, Hashable, Sendable {
    /// Bytes sent, headers among them.
    public var bytesSent: UInt64 = 0
    /// Bytes received, headers among them.
    public var bytesReceived: UInt64 = 0
    /// Requests made, retries among them.
    public var requests: UInt64 = 0
    /// Nodes whose change was committed.
    public var changesSent: UInt64 = 0
    /// Steps done on the disk for changes of other devices.
    public var changesApplied: UInt64 = 0
    /// Blocks that were sent.
    public var blocksSent: UInt64 = 0
    /// Blocks of changed files that did not have to be sent: the server had them.
    public var blocksKnown: UInt64 = 0
    /// Blocks that were fetched.
    public var blocksFetched: UInt64 = 0
    /// Blocks that did not have to be fetched: they were somewhere on this disk.
    public var blocksReused: UInt64 = 0

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case requests
        case bytesSent = "bytes_sent"
        case bytesReceived = "bytes_received"
        case changesSent = "changes_sent"
        case changesApplied = "changes_applied"
        case blocksSent = "blocks_sent"
        case blocksKnown = "blocks_known"
        case blocksFetched = "blocks_fetched"
        case blocksReused = "blocks_reused"
    }

    /// Makes counts that are all 0.
    public init() {}

    private static let fields: [(name: CodingKeys, path: any WritableKeyPath<PassCounts, UInt64> & Sendable)] = [
        (.requests, \.requests), (.bytesSent, \.bytesSent), (.bytesReceived, \.bytesReceived),
        (.changesSent, \.changesSent), (.changesApplied, \.changesApplied), (.blocksSent, \.blocksSent),
        (.blocksKnown, \.blocksKnown), (.blocksFetched, \.blocksFetched), (.blocksReused, \.blocksReused),
    ]

    /// The counts by their names, as the state keeps them.
    var named: [String: Int64] {
        Dictionary(
            uniqueKeysWithValues: Self.fields.map { ($0.name.rawValue, Int64(clamping: self[keyPath: $0.path])) })
    }

    init(named counts: [String: Int64]) {
        for field in Self.fields { self[keyPath: field.path] = UInt64(clamping: counts[field.name.rawValue] ?? 0) }
    }
}

/// Counts what a pass does, from any task.
final class PassCounter: Sendable {
    private let state = Mutex(PassCounts())

    var current: PassCounts { state.withLock { $0 } }

    func add(_ count: Int = 1, to path: WritableKeyPath<PassCounts, UInt64>) {
        state.withLock { $0[keyPath: path] += UInt64(count) }
    }

    func add(_ traffic: Traffic) {
        state.withLock {
            $0.bytesSent += traffic.sent
            $0.bytesReceived += traffic.received
            $0.requests += traffic.requests
        }
    }
}
