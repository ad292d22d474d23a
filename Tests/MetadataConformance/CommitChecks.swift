import Metadata
import Model
import Testing

private func tree(_ database: any MetadataDatabase) async throws -> [String: UInt64] {
    try await database.read { connection throws in
        var found: [String: UInt64] = [:]
        func visit(_ folder: NodeID, _ path: String) throws {
            for entry in try NodeQueries(connection).children(of: folder, in: Fixture.namespace, limit: 100) {
                found["\(path)\(entry.state.name)"] = entry.node.low
                if entry.state.payload.isFolder { try visit(entry.node, "\(path)\(entry.state.name)/") }
            }
        }
        try visit(.root, "")
        return found
    }
}

extension MetadataConformance {
    static let commitChecks: [Check] = [
        Check("a folder and what is in it are made by one commit, in any order") { database in
            try await database.prepareHome()
            let outcome = try await database.commit(
                1,
                [
                    NodeChange(3, Fixture.file("x", in: Fixture.node(2))),
                    NodeChange(2, Fixture.folder("b", in: Fixture.node(1))), NodeChange(1, Fixture.folder("a")),
                ])
            #expect(outcome.revision == Revision(1))
            #expect(try await tree(database) == ["a": 1, "a/b": 2, "a/b/x": 3])
        },
        Check("names are swapped and passed on within one commit") { database in
            try await database.prepareHome()
            let names = ["a", "b", "c", "d"]
            try await database.commit(1, names.indices.map { NodeChange(UInt64($0) + 1, Fixture.file(names[$0])) })
            let swap = [NodeChange(1, base: 1, Fixture.file("b")), NodeChange(2, base: 1, Fixture.file("a"))]
            // d goes, c takes its name, a new file takes that of c.
            let chain = [
                NodeChange(4, base: 1, nil), NodeChange(3, base: 1, Fixture.file("d")),
                NodeChange(5, Fixture.file("c")),
            ]
            #expect(try await database.commit(2, swap + chain).revision == Revision(2))
            #expect(try await tree(database) == ["a": 2, "b": 1, "c": 5, "d": 3])
        },
        Check("a folder and one within it change places by one commit") { database in
            try await database.prepareHome()
            try await database.commit(
                1, [NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.folder("b", in: Fixture.node(1)))])
            let outcome = try await database.commit(
                2,
                [
                    NodeChange(2, base: 1, Fixture.folder("a")),
                    NodeChange(1, base: 1, Fixture.folder("b", in: Fixture.node(2))),
                ])
            #expect(outcome.revision == Revision(2))
            #expect(try await tree(database) == ["a": 2, "a/b": 1])
        },
        Check("a tree goes by one commit, an entry that moves out of it stays") { database in
            try await database.prepareHome()
            try await database.commit(
                1,
                [
                    NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.folder("b", in: Fixture.node(1))),
                    NodeChange(3, Fixture.file("x", in: Fixture.node(2))),
                    NodeChange(4, Fixture.file("y", in: Fixture.node(1))),
                ])
            let outcome = try await database.commit(
                2,
                [
                    NodeChange(1, base: 1, nil), NodeChange(2, base: 1, nil), NodeChange(3, base: 1, nil),
                    NodeChange(4, base: 1, Fixture.file("a")),
                ])
            #expect(outcome.revision == Revision(2))
            #expect(try await tree(database) == ["a": 4])
        },
        Check("a file becomes a link and a link a file") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            let link = Fixture.symlink("a", to: "elsewhere")
            #expect(try await database.commit(2, [NodeChange(1, base: 1, link)]).revision == Revision(2))
            #expect(try await database.commit(3, [NodeChange(1, base: 2, Fixture.file("a"))]).revision == Revision(3))
        },
        Check("what was removed is restored with its identity, elsewhere if need be") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            try await database.commit(2, [NodeChange(1, base: 1, nil)])
            try await database.commit(3, [NodeChange(2, Fixture.file("a"))])
            #expect(try await database.commit(4, [NodeChange(1, base: 2, Fixture.file("b"))]).revision == Revision(4))
            let (before, between, after) = try await database.read { connection throws in
                let nodes = NodeQueries(connection)
                func at(_ revision: UInt64) throws -> NodeRecord? {
                    try nodes.node(Fixture.node(1), in: Fixture.namespace, at: Revision(revision))
                }
                return (try at(1), try at(3), try at(4))
            }
            #expect(before?.state == Fixture.file("a") && between == nil && after?.state == Fixture.file("b"))
            #expect(try await database.homeFaults().isEmpty)
        },
        Check("the same upload again gets the same answer, whatever it says") { database in
            try await database.prepareHome()
            let first = try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            #expect(try await database.commit(1, [NodeChange(1, Fixture.file("a"))]) == first)
            #expect(try await database.commit(1, [NodeChange(2, Fixture.file("b"))]) == first)
            #expect(try await database.commit(1, []) == first)
            #expect(try await database.homeHead()?.revision == Revision(1))
            let refused = try await database.commit(2, [NodeChange(1, Fixture.file("c"))])
            #expect(!refused.refusals.isEmpty)
            try await database.commit(3, [NodeChange(1, base: 1, nil)])
            // It would be refused otherwise now.
            #expect(try await database.commit(2, [NodeChange(1, Fixture.file("c"))]) == refused)
        },
        Check("an upload of another namespace is another upload") { database in
            try await database.prepareHome()
            let second = NamespaceID(high: 0x5A, low: 2)
            try await database.write {
                try NamespaceQueries($0).create(second, owner: Fixture.account, at: Fixture.time)
            }
            try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            let outcome = try await database.write {
                try CommitQueries($0).apply(
                    CommitRequest(
                        namespace: second, upload: Fixture.upload(1), device: Fixture.device,
                        changes: [NodeChange(1, Fixture.file("b"))]),
                    at: Fixture.time, hash: TestHash.digest)
            }
            #expect(outcome.revision == Revision(1))
            #expect(try await tree(database) == ["a": 1])
        },
        Check("a request that is malformed is an error, and leaves no trace") { database in
            try await database.prepareHome()
            let twice = [NodeChange(1, Fixture.file("a")), NodeChange(1, Fixture.file("b"))]
            let content = Content(id: Content.empty.id, size: UInt64(Int64.max) + 1)
            var huge = Fixture.file("a")
            huge.payload = .file(content)
            for changes in [[], twice, [NodeChange(1, huge)]] {
                await #expect(throws: MetadataError(.constraint, "")) { try await database.commit(1, changes) }
            }
            #expect(try await database.commit(1, [NodeChange(1, Fixture.file("a"))]).revision == Revision(1))
        },
        Check("a namespace that is not there takes no commit") { database in
            await #expect(throws: MetadataError(.notFound, "")) {
                try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            }
        },
        Check("thousands of changes are one commit") { database in
            try await database.prepareHome()
            let names = (1...3000).map { NodeChange(UInt64($0), Fixture.file("f\($0)", content: UInt64($0))) }
            #expect(try await database.commit(1, names).revision == Revision(1))
            let moves = (1...3000).map {
                NodeChange(UInt64($0), base: 1, Fixture.file("f\($0 % 3000 + 1)", content: UInt64($0)))
            }
            #expect(try await database.commit(2, moves).revision == Revision(2))
            #expect(
                try await database.commit(3, (1...3000).map { NodeChange($0, base: 2, nil) }).revision == Revision(3))
            #expect(try await tree(database).isEmpty)
            #expect(try await database.homeFaults().isEmpty)
        },
    ]
}
