import Foundation
import Model
import Storage
import StorageConformance
import TestSupport
import Testing

@testable import StorageS3

/// Real servers, when the environment names some: `CAIRN_S3_TEST_ENDPOINTS` (addresses, by commas),
/// `CAIRN_S3_TEST_ACCESS_KEY`, `CAIRN_S3_TEST_SECRET_KEY`, and, if need be, `CAIRN_S3_TEST_REGION` and
/// `CAIRN_S3_TEST_BUCKET`. Each check has a prefix of its own, which is not removed afterwards.
enum RealServers {
    static let environment = ProcessInfo.processInfo.environment
    static let addresses = (environment["CAIRN_S3_TEST_ENDPOINTS"] ?? "").split(separator: ",").map(String.init)
    static let hint: Comment = "no real servers: CAIRN_S3_TEST_ENDPOINTS, …_ACCESS_KEY and …_SECRET_KEY name some"

    static func regions() async throws -> [S3RegionConfiguration] {
        var generator = SystemRandomNumberGenerator()
        let prefix = "test-" + PackID(using: &generator).hex
        var regions: [S3RegionConfiguration] = []
        for (place, address) in addresses.enumerated() {
            let configuration = S3RegionConfiguration(
                name: "region-\(place)", address: address, bucket: environment["CAIRN_S3_TEST_BUCKET"] ?? "cairn-test",
                prefix: prefix, serverRegion: environment["CAIRN_S3_TEST_REGION"] ?? "us-east-1",
                credentials: S3Credentials(
                    accessKey: environment["CAIRN_S3_TEST_ACCESS_KEY"] ?? "",
                    secretKey: environment["CAIRN_S3_TEST_SECRET_KEY"] ?? ""))
            let region = try configuration.makeRegion(wallClock: SystemWallClock(), generator: generator)
            do throws(S3Failure) {
                _ = try await region.client.send(S3Request(method: "PUT"))
            } catch {
                if error.status != 409 { throw error }
            }
            try await region.close()
            regions.append(configuration)
        }
        return regions
    }

    static func client(_ configuration: S3RegionConfiguration) throws -> S3Client {
        try configuration.makeRegion(wallClock: SystemWallClock(), generator: SystemRandomNumberGenerator()).client
    }
}

@Suite(.enabled(if: !RealServers.addresses.isEmpty, RealServers.hint), .serialized)
struct RealServerTests {
    @Test("real buckets keep the contract", arguments: BlockStoreConformance.checks)
    func contract(check: BlockStoreConformance.Check) async throws {
        let regions = try await RealServers.regions()
        try await check.run { try await S3BlockStore.open(regions: regions) }
    }

    @Test("real servers do what the client relies on")
    func client() async throws {
        for configuration in try await RealServers.regions() {
            let client = try RealServers.client(configuration)
            var generator = SeededGenerator(seed: 1)
            let key = configuration.prefix + "/k ü+&"
            let tag = try await client.put(
                key, [1, 2, 3], S3PutOptions(condition: .isAbsent, metadata: ["sum": "x"], withMD5: true))
            #expect(try await client.head(key).metadata["sum"] == "x")
            await #expect {
                try await client.put(key, [4], S3PutOptions(condition: .isAbsent))
            } throws: { ($0 as? S3Failure)?.isPreconditionFailed == true }
            await #expect {
                try await client.put(key, [4], S3PutOptions(condition: .matches("\"other\"")))
            } throws: { ($0 as? S3Failure)?.isPreconditionFailed == true }
            try await client.put(key, [4, 5], S3PutOptions(condition: .matches(tag)))
            #expect(try await client.get(key, range: 1..<9).bytes == [5])
            #expect(try await client.get(key, range: 9..<10).bytes.isEmpty)
            let large = generator.bytes(17 << 20)
            try await client.putInParts(key + "/large", large)
            let isSame = try await client.get(key + "/large", limit: 20 << 20).bytes == large
            #expect(isSame)
            let upload = try await client.beginUpload(key + "/begun")
            _ = try await client.send(part: 1, [1], of: upload)
            let begun = try await client.uploads(prefix: configuration.prefix)
            #expect(begun.map(\.id) == [upload.id] && begun.first?.begun != nil)
            try await client.abort(upload)
            #expect(try await client.uploads(prefix: configuration.prefix).isEmpty)
            let page = try await client.list(prefix: configuration.prefix, limit: 1)
            #expect(page.objects.count == 1 && page.objects[0].modified != nil)
            let next = try await client.list(prefix: configuration.prefix, continuing: page.next, limit: 1)
            #expect(next.objects.count == 1 && next.next == nil)
            #expect(try await client.delete([key, key + "/large", key + "/never"]).isEmpty)
            await #expect { try await client.head(key) } throws: { ($0 as? S3Failure)?.isNotFound == true }
            try await client.delete(key)
            try await client.shutdown()
        }
    }

    @Test("damage in one real region is repaired from the other", .enabled(if: RealServers.addresses.count > 1))
    func repair() async throws {
        let regions = try await RealServers.regions()
        let store = try await S3BlockStore.open(
            regions: regions, configuration: S3StoreConfiguration(minimumCopies: 1))
        var sample = Sample(seed: 3)
        for _ in 0..<4 { try await sample.append(to: store, size: 100...900) }
        try await sample.append(to: store, count: 5, size: (4 << 20)...(4 << 20))
        let packs = sample.packs.sorted()
        try await store.regions[0].write([0xFF, 0xFE], to: packs[0], at: 60)
        try await store.regions[0].delete(packs[1])
        try await store.regions[1].truncate(packs[2], to: 100)
        try await store.regions[1].delete(packs[3])
        try await store.regions[1].delete(packs[4])
        try await sample.verify(in: store)
        #expect(try await scanAll(store).allSatisfy { $0.state != .corrupt })
        try await store.repairMissing()
        for pack in packs {
            var copies: [[UInt8]] = []
            for region in store.regions {
                copies.append(try await region.client.get(region.keys.pack(pack), limit: 64 << 20).bytes)
            }
            let isEqual = copies[0] == copies[1]
            #expect(isEqual)
        }
        #expect(try await store.noteDifferences(olderThan: .zero) == 0)
        try await store.close()
    }
}
