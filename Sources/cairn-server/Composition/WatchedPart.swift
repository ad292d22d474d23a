import HTTPAPI
import MessagingRedis
import Metadata

/// A part of a process that is told when the process ends, and some numbers of which are worth watching.
protocol WatchedPart: Sendable {
    /// The counts as `/metrics` shows them.
    var samples: [Sample] { get }

    /// Lets everything go.
    func close() async
}

extension RedisChangeBus: WatchedPart {
    var samples: [Sample] {
        let status = status
        return [
            Sample("cairn_bus_connected", .gauge, status.isConnected ? 1 : 0),
            Sample("cairn_bus_gaps_total", .counter, Double(status.gaps)),
            Sample("cairn_bus_unpublished", .gauge, Double(status.backlog)),
        ]
    }
}

extension RedisMetadataCache: WatchedPart {
    var samples: [Sample] { counts.samples + [Sample("cairn_cache_away", .gauge, isLeftAlone ? 1 : 0)] }
}

extension MemoryMetadataCache: WatchedPart {
    var samples: [Sample] { counts.samples + [Sample("cairn_cache_bytes", .gauge, Double(size))] }

    func close() async {}
}

extension RedisRateLimiter: WatchedPart {
    var samples: [Sample] { [Sample("cairn_limits_away", .gauge, isLeftAlone ? 1 : 0)] }
}

extension MetadataCacheCounts {
    /// The counts as `/metrics` shows them.
    fileprivate var samples: [Sample] {
        [
            Sample("cairn_cache_hits_total", .counter, Double(hits)),
            Sample("cairn_cache_misses_total", .counter, Double(misses)),
            Sample("cairn_cache_damaged_total", .counter, Double(damaged)),
            Sample("cairn_cache_errors_total", .counter, Double(failures)),
        ]
    }
}
