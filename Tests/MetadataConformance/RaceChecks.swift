import Metadata
import Model
import Testing

/// Commits of two devices that want the same name, round after round.
private func race(_ database: any MetadataDatabase, device: UInt64, rounds: ClosedRange<UInt64>) async throws
    -> [UInt64]
{
    var won: [UInt64] = []
    for round in rounds {
        let change = NodeChange(round * 10 + device, Fixture.file("f\(round)"))
        let outcome = try await database.commit(round * 10 + device, [change])
        switch outcome {
        case .committed: won.append(round)
        case .refused(let refusals):
            let rival = Fixture.node(round * 10 + 3 - device)
            #expect(refusals == [Refusal(node: change.node, reason: .nameTaken(by: rival))])
        }
    }
    return won
}

extension MetadataConformance {
    static let raceChecks: [Check] = [
        Check("of two that want one name exactly one gets it, a thousand times") { database in
            try await database.prepareHome()
            let rounds: ClosedRange<UInt64> = 1...1000
            async let first = race(database, device: 1, rounds: rounds)
            async let second = race(database, device: 2, rounds: rounds)
            let (one, two) = try await (first, second)
            #expect(Set(one).isDisjoint(with: two) && (one + two).sorted() == Array(rounds))
            #expect(try await database.homeHead()?.revision == Revision(1000))
            let commits = try await database.read {
                try CommitQueries($0).commits(in: Fixture.namespace, from: .zero, limit: 2000)
            }
            #expect(commits.map(\.head.revision.number) == Array(rounds))
            #expect(try await database.homeFaults().isEmpty)
        },
        Check("of many that edit one file by one base exactly one does") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            let outcomes = try await withThrowingTaskGroup(of: CommitOutcome.self) { group in
                for upload in 2...65 as ClosedRange<UInt64> {
                    group.addTask {
                        try await database.commit(upload, [NodeChange(1, base: 1, Fixture.file("a", content: upload))])
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.compactMap(\.revision) == [Revision(2)])
            #expect(outcomes.flatMap(\.refusals).count == 63)
        },
        Check("reads beside commits see whole commits only, and never go back") { database in
            try await database.prepareHome()
            // Each commit renames both files; a mixture of two would show two different numbers.
            func changes(_ round: UInt64) -> [NodeChange] {
                [1, 2].map { NodeChange($0, base: round - 1, Fixture.file("\($0) of \(round)", content: round)) }
            }
            try await database.commit(1, changes(1))
            async let writing: Void = {
                for round in 2...200 as ClosedRange<UInt64> { try await database.commit(round, changes(round)) }
            }()
            var last = Revision.zero
            for _ in 0..<100_000 where last < Revision(200) {
                let (head, nodes) = try await database.read { connection throws in
                    (
                        try NamespaceQueries(connection).head(of: Fixture.namespace)?.revision ?? .zero,
                        try NodeQueries(connection).children(of: .root, in: Fixture.namespace, limit: 9)
                    )
                }
                #expect(nodes.map(\.revision) == [head, head])
                #expect(head >= last)
                last = head
            }
            try await writing
            #expect(last == Revision(200))
        },
    ]
}
