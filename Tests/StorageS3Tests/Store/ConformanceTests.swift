import Storage
import StorageConformance
import Synchronization
import Testing

@testable import S3Support
@testable import StorageS3

/// The contract of a block store, kept over buckets that do what they should and such that do not.
@Suite struct ConformanceTests {
    @Test("a bucket keeps the contract", arguments: BlockStoreConformance.checks)
    func oneRegion(check: BlockStoreConformance.Check) async throws {
        let server = try await FakeS3.start()
        try await check.run { try await S3BlockStore.open(regions: [server.configuration("only")]) }
        try await server.stop()
    }

    @Test("two buckets keep the contract, and are equal afterwards", arguments: BlockStoreConformance.checks)
    func twoRegions(check: BlockStoreConformance.Check) async throws {
        try await TwoRegions.with { regions in
            try await check.run { try await regions.open() }
            regions.expectEqual()
        }
    }

    @Test("small packs keep the contract", arguments: BlockStoreConformance.checks)
    func smallPacks(check: BlockStoreConformance.Check) async throws {
        try await TwoRegions.with { regions in
            try await check.run { try await regions.open(packSize: 1500) }
            regions.expectEqual()
        }
    }

    @Test("one copy being enough, a region that is down keeps the contract", arguments: BlockStoreConformance.checks)
    func degraded(check: BlockStoreConformance.Check) async throws {
        try await TwoRegions.with { regions in
            regions.far.isDown = true
            try await check.run { try await regions.open(minimumCopies: 1) }
            regions.far.isDown = false
            let store = try await regions.open(minimumCopies: 1)
            try await store.repairMissing()
            regions.expectEqual()
            try await store.close()
        }
    }

    @Test("servers that fail now and then keep the contract", arguments: BlockStoreConformance.checks)
    func flaky(check: BlockStoreConformance.Check) async throws {
        try await TwoRegions.with { regions in
            let faults: [FakeS3.Fault] = [.answer(503, "SlowDown"), .lostAnswer, .reset, .truncated]
            for (place, server) in regions.servers.enumerated() {
                // Each once, among requests that go well: the rules are used up one after the other.
                for fault in faults {
                    server.fail(.init(fault: fault, times: 1, method: place == 0 ? "PUT" : "GET"))
                }
            }
            let retries = S3RetryPolicy(attempts: 8, base: .milliseconds(1), cap: .milliseconds(2))
            try await check.run { try await regions.open(retries: retries) }
        }
    }

    @Test("slow regions, both of which are asked at once, keep the contract", arguments: BlockStoreConformance.checks)
    func hedged(check: BlockStoreConformance.Check) async throws {
        try await TwoRegions.with { regions in
            regions.near.fail(.init(fault: .late(milliseconds: 15), times: 12, method: "GET"))
            try await check.run { try await regions.open(hedgeDelay: .milliseconds(2)) }
        }
    }
}
