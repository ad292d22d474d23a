import Metadata
import Model
import Testing

/// Commits drawn change-sets, and holds each outcome against the model.
func playHistory(_ database: any MetadataDatabase, seed: UInt64, commits: Int) async throws -> TreeModel {
    try await database.prepareHome()
    var (model, random) = (TreeModel(), RandomChanges(seed: seed))
    for upload in 0..<UInt64(commits) {
        let changes = random.next(for: model)
        let expected = model.refusals(changes)
        let outcome = try await database.commit(upload, changes.reversed())
        #expect(outcome.refusals == expected, "seed \(seed), upload \(upload): \(changes)")
        if expected.isEmpty { model.apply(changes) }
        #expect(outcome.revision == (expected.isEmpty ? model.head : nil), "seed \(seed), upload \(upload)")
    }
    #expect(model.head.number > UInt64(commits / 6), "the history of seed \(seed) is almost empty")
    return model
}

/// All pages of the changes between two revisions.
private func allChanges(
    _ connection: any MetadataConnection, since: Int, upTo: Int, limit: Int
) throws -> [NodeAtRevision] {
    var (entries, after): ([NodeAtRevision], ChangePosition?) = ([], nil)
    repeat {
        let slice = try NodeQueries(connection).changes(
            in: Fixture.namespace, since: Revision(UInt64(since)), upTo: Revision(UInt64(upTo)), after: after,
            limit: limit)
        #expect(slice.entries.count == limit || slice.next == nil)
        entries += slice.entries
        after = slice.next
    } while after != nil
    return entries
}

extension MetadataConformance {
    static let historyChecks: [Check] =
        [
            Check("histories are accepted, refused and kept as the model says") { database in
                let model = try await playHistory(database, seed: 1, commits: 250)
                try await database.read { connection throws in
                    let nodes = NodeQueries(connection)
                    for revision in model.trees.indices {
                        let at = Revision(UInt64(revision))
                        for node in model.histories.keys {
                            #expect(try nodes.node(node, in: Fixture.namespace, at: at) == model.trees[revision][node])
                        }
                        for folder in model.histories.keys + [.root] {
                            let found = try nodes.children(of: folder, in: Fixture.namespace, limit: 99, at: at)
                            #expect(found == model.children(of: folder, at: revision))
                        }
                        for record in model.trees[revision].values {
                            let state = record.state
                            #expect(try nodes.child(state.parent, state.name, in: Fixture.namespace, at: at) == record)
                        }
                    }
                    for record in model.tree.values {
                        #expect(try nodes.node(record.node, in: Fixture.namespace) == record)
                        #expect(
                            try nodes.child(record.state.parent, record.state.name, in: Fixture.namespace) == record)
                    }
                }
                #expect(try await database.homeFaults().isEmpty)
            },
            Check("the changes between any two revisions are what the model says, by pages of any size") { database in
                let model = try await playHistory(database, seed: 2, commits: 60)
                let head = model.trees.count - 1
                try await database.read { connection throws in
                    for since in 0...head {
                        for upTo in since...head {
                            let expected = model.changes(since: since, upTo: upTo)
                            #expect(try allChanges(connection, since: since, upTo: upTo, limit: 100) == expected)
                        }
                        let expected = model.changes(since: since, upTo: head)
                        for limit in 1...(expected.count + 1) {
                            #expect(try allChanges(connection, since: since, upTo: head, limit: limit) == expected)
                        }
                    }
                }
            },
            Check("following the changes from any revision gives the tree of the head") { database in
                let model = try await playHistory(database, seed: 3, commits: 60)
                let head = model.trees.count - 1
                try await database.read { connection throws in
                    for since in model.trees.indices {
                        var tree = model.trees[since]
                        for entry in try allChanges(connection, since: since, upTo: head, limit: 7) {
                            tree[entry.node] = entry.state.map {
                                NodeRecord(node: entry.node, revision: entry.revision, state: $0)
                            }
                        }
                        #expect(tree == model.tree)
                    }
                }
            },
        ]
        + (4...9 as ClosedRange<UInt64>).map { seed in
            Check("the history of seed \(seed) agrees with the model") { database in
                _ = try await playHistory(database, seed: seed, commits: 120)
                #expect(try await database.homeFaults().isEmpty)
            }
        }
}
