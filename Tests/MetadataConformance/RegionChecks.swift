import Metadata
import Model
import Testing

extension MetadataConformance {
    static let regionChecks: [Check] = [
        Check("regions are remembered with their last place, and forgotten") { database in
            @Sendable func region(_ number: UInt64, _ path: String, after seconds: Int64 = 0) -> RegionRecord {
                RegionRecord(
                    id: RegionID(high: 1, low: number), path: path,
                    added: Fixture.time.advanced(by: .seconds(seconds)))
            }
            func all() async throws -> [RegionRecord] { try await database.read { try RegionQueries($0).all() } }
            #expect(try await all().isEmpty)
            try await database.write { connection in
                for record in [region(2, "/b", after: 5), region(3, "/c"), region(1, "/a")] {
                    try RegionQueries(connection).remember(record)
                }
            }
            #expect(try await all() == [region(1, "/a"), region(3, "/c"), region(2, "/b", after: 5)])
            // Another place for one that is known; it stays as old as it is.
            try await database.write { try RegionQueries($0).remember(region(1, "/moved", after: 9)) }
            #expect(try await all().first == region(1, "/moved"))
            #expect(try await database.write { try RegionQueries($0).forget(RegionID(high: 1, low: 3)) })
            #expect(try await !database.write { try RegionQueries($0).forget(RegionID(high: 1, low: 3)) })
            #expect(try await all().map(\.path) == ["/moved", "/b"])
        }
    ]
}
