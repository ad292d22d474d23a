import Metadata
import Model
import Testing

extension MetadataConformance {
    private static let one = LeaseHolder(high: 1, low: 1)
    private static let two = LeaseHolder(high: 1, low: 2)

    static let leaseChecks: [Check] = [
        Check("a job that nobody had is taken by the first who asks") { database in
            try await database.write { connection throws in
                let queries = LeaseQueries(connection)
                #expect(try queries.record(of: "thin") == nil)
                let lease = try #require(try queries.take("thin", by: one, after: nil))
                #expect(lease == Lease(name: "thin", holder: one, term: 1))
                #expect(try queries.take("thin", by: two, after: nil) == nil)
                #expect(try queries.record(of: "thin") == LeaseRecord(holder: one, term: 1, beat: 0))
                #expect(try queries.take("scrub", by: two, after: nil)?.term == 1, "jobs are apart")
            }
        },
        Check("a job whose holder has shown itself since is not taken") { database in
            try await database.write { connection throws in
                let queries = LeaseQueries(connection)
                let lease = try #require(try queries.take("thin", by: one, after: nil))
                let seen = try queries.record(of: "thin")
                try queries.beat(lease)
                #expect(try queries.record(of: "thin") == LeaseRecord(holder: one, term: 1, beat: 1))
                #expect(try queries.take("thin", by: two, after: seen) == nil)
                #expect(try queries.record(of: "thin")?.holder == one)
            }
        },
        Check("a job whose holder is silent changes hands in a new term, and its former holder is told") { database in
            try await database.write { connection throws in
                let queries = LeaseQueries(connection)
                let former = try #require(try queries.take("thin", by: one, after: nil))
                try queries.beat(former)
                let seen = try queries.record(of: "thin")
                let lease = try #require(try queries.take("thin", by: two, after: seen))
                #expect(lease == Lease(name: "thin", holder: two, term: 2))
                #expect(try queries.take("thin", by: one, after: seen) == nil, "the slower one of two")
                #expect(throws: LeaseLost(name: "thin")) { try queries.beat(former) }
                #expect(throws: LeaseLost(name: "thin")) { try queries.ensure(former) }
                try queries.release(former)
                #expect(try queries.record(of: "thin") == LeaseRecord(holder: two, term: 2, beat: 0))
                try queries.ensure(lease)
            }
        },
        Check("a job that was given back has no holder, and its term goes on") { database in
            try await database.write { connection throws in
                let queries = LeaseQueries(connection)
                let lease = try #require(try queries.take("thin", by: one, after: nil))
                try queries.release(lease)
                let free = try #require(try queries.record(of: "thin"))
                #expect(free.holder == nil && free.term == 1)
                #expect(throws: LeaseLost(name: "thin")) { try queries.ensure(lease) }
                #expect(throws: LeaseLost(name: "thin")) { try queries.beat(lease) }
                #expect(try queries.take("thin", by: one, after: free)?.term == 2, "the same one again is another term")
                #expect(throws: LeaseLost(name: "thin")) { try queries.ensure(lease) }
            }
        },
        Check("of many who take a job at once one gets it") { database in
            let taken = try await withThrowingTaskGroup(of: Lease?.self) { group in
                for number in 1...16 as ClosedRange<UInt64> {
                    group.addTask {
                        try await database.write {
                            try LeaseQueries($0).take("thin", by: LeaseHolder(high: 2, low: number), after: nil)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.compactMap(\.self)
            }
            #expect(taken.count == 1)
            #expect(try await database.read { try LeaseQueries($0).record(of: "thin")?.holder } == taken.first?.holder)
        },
    ]
}
