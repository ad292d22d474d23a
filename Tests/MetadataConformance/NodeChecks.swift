import Metadata
import Model
import Testing

extension MetadataConformance {
    static let nodeChecks: [Check] = [
        Check("every kind of node comes back as it was committed") { database in
            try await database.prepareHome()
            let raw = NodeState(
                parent: .root, name: try NodeName(bytes: [0xFF, 0x0A, 0x80]),
                payload: .file(Content(id: ContentID(level: 255, digest: Fixture.digest(1)), size: UInt64(Int64.max))),
                mode: 0o7777, modified: Timestamp(nanoseconds: .min))
            let states = [
                Fixture.folder("a"), Fixture.file("b"), Fixture.symlink("c", to: ""), raw,
                Fixture.file("d", content: 0),
            ]
            try await database.commit(1, states.indices.map { NodeChange(UInt64($0), states[$0]) })
            try await database.read { connection throws in
                let nodes = NodeQueries(connection)
                for (index, state) in states.enumerated() {
                    let record = NodeRecord(node: Fixture.node(UInt64(index)), revision: Revision(1), state: state)
                    #expect(try nodes.node(record.node, in: Fixture.namespace) == record)
                    #expect(try nodes.child(.root, state.name, in: Fixture.namespace) == record)
                    #expect(try nodes.resolve(RemotePath([state.name]), in: Fixture.namespace) == record)
                }
                let ids = states.indices.map { Fixture.node(UInt64($0)) }
                let found = try nodes.nodes(ids + [Fixture.node(99), .root], in: Fixture.namespace)
                #expect(Set(found.keys) == Set(ids))
                #expect(try nodes.nodes(ids, in: NamespaceID(high: 1, low: 1)).isEmpty)
            }
        },
        Check("a path is followed through folders, now and in the past") { database in
            try await database.prepareHome()
            try await database.commit(
                1, [NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.file("x", in: Fixture.node(1)))])
            try await database.commit(2, [NodeChange(1, base: 1, Fixture.folder("b"))])
            try await database.read { connection throws in
                let nodes = NodeQueries(connection)
                let asked: [(String, UInt64?)] = [
                    ("/b/x", nil), ("/a/x", nil), ("/b/x", 2), ("/a/x", 1), ("/b/x", 1), ("/a/x", 0), ("/b/x/y", 2),
                    ("/", 2),
                ]
                let found = try asked.map { path, revision in
                    try nodes.resolve(RemotePath(path), in: Fixture.namespace, at: revision.map { Revision($0) })?.node
                        .low
                }
                #expect(found == [2, nil, 2, 2, nil, nil, nil, nil])
            }
        },
        Check("folders are listed page by page, by the bytes of the names") { database in
            try await database.prepareHome()
            let names = ["b", "B", "a", "aa", "ä", "Z", "0"]
            try await database.commit(1, names.indices.map { NodeChange(UInt64($0), Fixture.file(names[$0])) })
            let sorted = names.map { Fixture.name($0) }.sorted()
            for limit in 1...8 {
                for revision in [nil, Revision(1)] {
                    let found = try await database.read { connection throws in
                        var (found, after): ([NodeName], NodeName?) = ([], nil)
                        while true {
                            let page = try NodeQueries(connection).children(
                                of: .root, in: Fixture.namespace, after: after, limit: limit, at: revision)
                            found += page.map(\.state.name)
                            if page.count < limit { return found }
                            after = page.last?.state.name
                        }
                    }
                    #expect(found == sorted)
                }
            }
        },
        Check("a node that came and went is named as gone") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            try await database.commit(2, [NodeChange(1, base: 1, nil)])
            let slice = try await database.read {
                try NodeQueries($0).changes(in: Fixture.namespace, since: .zero, upTo: Revision(2), limit: 5)
            }
            let gone = NodeAtRevision(node: Fixture.node(1), revision: Revision(2), state: nil)
            #expect(slice == ChangesSlice(entries: [gone], next: nil))
        },
        Check("there are no changes since the head, or since what is to come") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
            for (since, upTo) in [(1, 1), (1, 0), (7, 1), (7, 9)] as [(UInt64, UInt64)] {
                let slice = try await database.read {
                    try NodeQueries($0).changes(
                        in: Fixture.namespace, since: Revision(since), upTo: Revision(upTo), limit: 5)
                }
                #expect(slice == ChangesSlice(entries: [], next: nil))
            }
        },
    ]
}
