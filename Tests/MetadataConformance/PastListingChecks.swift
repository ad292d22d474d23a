import Metadata
import Model
import Testing

/// The names of a folder at a revision, by pages.
private func names(
    _ database: any MetadataDatabase, at revision: UInt64, limit: Int, pages: Int = .max
) async throws -> [String] {
    try await database.read { connection throws in
        var (found, after, count): ([String], NodeName?, Int) = ([], nil, 0)
        repeat {
            let page = try NodeQueries(connection).children(
                of: .root, in: Fixture.namespace, after: after, limit: limit, at: Revision(revision))
            #expect(page.count <= limit)
            found += page.map(\.state.name.description)
            after = page.count < limit ? nil : page.last?.state.name
            count += 1
        } while after != nil && count < pages
        return found
    }
}

private func numbered(_ prefix: String, _ count: Int) -> [String] {
    (0..<count).map { "\(prefix)\(String(100_000 + $0).dropFirst())" }
}

extension MetadataConformance {
    static let pastListingChecks: [Check] = [
        Check("a folder that filled and emptied again is listed as it was before, during and after") { database in
            try await database.prepareHome()
            let old = ["a", "m5", "zz"]
            let later = numbered("m", 400)
            try await database.commit(1, old.indices.map { NodeChange(UInt64($0) + 1, Fixture.file(old[$0])) })
            try await database.commit(
                2, later.indices.map { NodeChange(UInt64($0) + 100, Fixture.file(later[$0])) })
            try await database.commit(3, later.indices.map { NodeChange(UInt64($0) + 100, base: 2, nil) })
            try await database.commit(4, [NodeChange(1, base: 1, nil), NodeChange(9000, Fixture.file("b"))])
            for limit in [1, 2, 3, 4, 250, 1000] {
                #expect(try await names(database, at: 0, limit: limit).isEmpty)
                #expect(try await names(database, at: 1, limit: limit) == old)
                #expect(try await names(database, at: 2, limit: limit) == (old + later).sorted())
                #expect(try await names(database, at: 3, limit: limit) == old)
                #expect(try await names(database, at: 4, limit: limit) == ["b", "m5", "zz"])
            }
        },
        Check("a folder that only grew is listed as it was") { database in
            try await database.prepareHome()
            let later = numbered("k", 600)
            try await database.commit(1, [NodeChange(1, Fixture.file("z"))])
            try await database.commit(
                2, later.indices.map { NodeChange(UInt64($0) + 100, Fixture.file(later[$0])) })
            try await database.commit(3, [NodeChange(1, base: 1, Fixture.file("z", content: 2))])
            for limit in [1, 2, 1000] {
                #expect(try await names(database, at: 1, limit: limit) == ["z"])
                #expect(try await names(database, at: 2, limit: limit) == later + ["z"])
            }
        },
        Check("a large folder behind many names that came later is listed as it was") { database in
            try await database.prepareHome()
            let old = numbered("z", 5000)
            let later = numbered("a", 400)
            try await database.commit(1, old.indices.map { NodeChange(UInt64($0) + 1, Fixture.file(old[$0])) })
            try await database.commit(
                2, later.indices.map { NodeChange(UInt64($0) + 9000, Fixture.file(later[$0])) })
            try await database.commit(3, later[200...].indices.map { NodeChange(UInt64($0) + 9000, base: 2, nil) })
            #expect(try await names(database, at: 1, limit: 7, pages: 3) == Array(old.prefix(21)))
            #expect(try await names(database, at: 1, limit: 3000) == old)
            #expect(try await names(database, at: 2, limit: 3000) == later + old)
            #expect(try await names(database, at: 3, limit: 300, pages: 1) == Array(later[..<200]) + Array(old[..<100]))
        },
        Check("an entry that was edited often, moved away and replaced is found at every revision") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.folder("other"))])
            try await database.commit(2, [NodeChange(2, Fixture.file("log", content: 2))])
            for upload in 3...120 as ClosedRange<UInt64> {
                try await database.commit(
                    upload, [NodeChange(2, base: upload - 1, Fixture.file("log", content: upload))])
            }
            try await database.commit(121, [NodeChange(2, base: 120, Fixture.file("log", in: Fixture.node(1)))])
            try await database.commit(122, [NodeChange(3, Fixture.file("log", content: 7))])
            try await database.read { connection throws in
                let nodes = NodeQueries(connection)
                for revision in 1...122 as ClosedRange<UInt64> {
                    let page = try nodes.children(of: .root, in: Fixture.namespace, limit: 5, at: Revision(revision))
                    let child = try nodes.child(
                        .root, Fixture.name("log"), in: Fixture.namespace, at: Revision(revision))
                    let expected: UInt64? =
                        switch revision {
                        case 1, 121: nil
                        case 122: 122
                        default: revision
                        }
                    #expect(child?.revision.number == expected)
                    #expect(page.first { $0.state.name == Fixture.name("log") } == child)
                    #expect(page.count == (expected == nil ? 1 : 2))
                }
            }
        },
        Check("a past folder is listed with what was given up, page by page") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.file("a", content: 1))])
            try await database.commit(2, [NodeChange(2, Fixture.file("b"))])
            try await database.commit(
                3, [NodeChange(1, base: 1, Fixture.file("a", content: 3)), NodeChange(3, Fixture.folder("c"))])
            try await database.write { connection in
                try connection.execute("UPDATE node SET thinned = 4 WHERE valid_from = 1", [])
            }
            try await database.read { connection throws in
                func names(_ revision: UInt64, _ after: NodeName? = nil, _ limit: Int = 9) throws -> [String] {
                    let entries = try NodeQueries(connection).children(
                        of: .root, in: Fixture.namespace, after: after, limit: limit, at: Revision(revision))
                    let versions = entries.map { ChangePosition(revision: $0.revision, node: $0.node) }
                    let thinned = try VersionQueries(connection).thinned(among: versions, in: Fixture.namespace)
                    return zip(entries, versions).map { "\($0.state.name)\(thinned.contains($1) ? "-" : "")" }
                }
                #expect(try names(0) == [])
                #expect(try names(1) == ["a-"])
                #expect(try names(2) == ["a-", "b"])
                #expect(try names(3) == ["a", "b", "c"])
                #expect(try names(3, Fixture.name("a"), 1) == ["b"])
            }
        },
    ]
}
