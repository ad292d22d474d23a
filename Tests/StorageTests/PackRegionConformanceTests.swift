import Storage
import StorageConformance
import StorageLocal
import TestSupport
import Testing

/// The contract of a region, kept by each.
@Suite struct PackRegionConformanceTests {
    @Test("a directory keeps the contract of a region", arguments: PackRegionConformance.checks)
    func local(check: PackRegionConformance.Check) async throws {
        let directory = TemporaryDirectory()
        try await check.run(LocalPackRegion(directory: directory.appending("below/it")))
    }

    @Test("a directory with room for one open file keeps it too", arguments: PackRegionConformance.checks)
    func oneFile(check: PackRegionConformance.Check) async throws {
        let directory = TemporaryDirectory()
        try await check.run(LocalPackRegion(directory: directory.path, openFiles: 1, readers: 1))
    }

    @Test("memory keeps the contract of a region", arguments: PackRegionConformance.checks)
    func memory(check: PackRegionConformance.Check) async throws {
        try await check.run(MemoryPackRegion())
        try await check.run(FaultyPackRegion(MemoryPackRegion()))
    }
}
