import Metadata
import Model
import Testing

extension TreeModel {
    /// Where a node is at a revision; nil when it is not there.
    fileprivate func path(of node: NodeID, at revision: Int) -> RemotePath? {
        var names: [NodeName] = []
        var node = node
        while node != .root {
            guard let record = trees[revision][node] else { return nil }
            names.insert(record.state.name, at: 0)
            node = record.state.parent
        }
        return RemotePath(names)
    }

    /// The states of a node, the newest first, each with the revision that made it.
    fileprivate func records(of node: NodeID) -> [NodeRecord] {
        var found: [NodeRecord] = []
        for tree in trees {
            if let record = tree[node], record != found.last { found.append(record) }
        }
        return found.reversed()
    }
}

/// All pages of what is gone.
private func allDeletions(_ connection: any MetadataConnection, limit: Int) throws -> [Deletion] {
    var (entries, after): ([Deletion], ChangePosition?) = ([], nil)
    repeat {
        let slice = try VersionQueries(connection).deletions(in: Fixture.namespace, after: after, limit: limit)
        #expect(slice.entries.count <= limit)
        entries += slice.entries
        after = slice.next
    } while after != nil
    return entries
}

extension MetadataConformance {
    static let versionChecks: [Check] = [
        Check("the versions of every node are what the model says, at every revision") { database in
            let model = try await playHistory(database, seed: 21, commits: 120)
            try await database.read { connection throws in
                let versions = VersionQueries(connection)
                let nodes = model.histories.keys.sorted()
                for node in nodes {
                    let records = model.records(of: node)
                    let found = try versions.versions(of: node, in: Fixture.namespace, limit: 1000)
                    #expect(found.map(\.record) == records)
                    #expect(found.first?.ended == model.histories[node]?.removed)
                    for (version, next) in zip(found.dropFirst(), found) {
                        #expect(version.ended.map { $0 <= next.record.revision } == true)
                    }
                    let page = try versions.versions(
                        of: node, in: Fixture.namespace, before: found.first?.record.revision, limit: 2)
                    #expect(page == Array(found.dropFirst().prefix(2)))
                }
                for revision in model.trees.indices {
                    let at = Revision(UInt64(revision))
                    let found = try versions.versions(of: nodes + [Fixture.node(999)], in: Fixture.namespace, at: at)
                    #expect(found.mapValues(\.record) == model.trees[revision])
                    for node in nodes {
                        let one = try versions.version(of: node, in: Fixture.namespace, at: at)
                        #expect(one == found[node])
                        let path = try versions.path(of: node, in: Fixture.namespace, at: at)
                        #expect(path == model.path(of: node, at: revision))
                    }
                }
                #expect(try versions.histories(of: nodes, in: Fixture.namespace) == model.histories)
                #expect(try versions.path(of: .root, in: Fixture.namespace) == .root)
            }
        },
        Check("whoever was at a path is found by it, and nobody else") { database in
            let model = try await playHistory(database, seed: 22, commits: 80)
            var holders: [RemotePath: [NodeID: ClosedRange<Int>]] = [:]
            for revision in model.trees.indices {
                for node in model.trees[revision].keys {
                    guard let path = model.path(of: node, at: revision) else { continue }
                    let first = holders[path]?[node]?.lowerBound ?? revision
                    holders[path, default: [:]][node] = first...revision
                }
            }
            let paths = holders
            try await database.read { connection throws in
                for (path, expected) in paths {
                    let found = try VersionQueries(connection).holders(of: path, in: Fixture.namespace)
                    let tenures = expected.map { node, revisions in
                        let isThere = revisions.upperBound == model.trees.count - 1
                        return NodeTenure(
                            node: node, from: Revision(UInt64(revisions.lowerBound)),
                            until: isThere ? nil : Revision(UInt64(revisions.upperBound) + 1))
                    }
                    #expect(Set(found) == Set(tenures), "\(path)")
                    #expect(found.count == tenures.count)
                    let ends = found.map { $0.until ?? Revision(.max) }
                    #expect(ends == ends.sorted(by: >), "\(path)")
                    let present = try NodeQueries(connection).resolve(path, in: Fixture.namespace)
                    #expect((found.first?.until == nil ? found.first?.node : nil) == present?.node, "\(path)")
                }
                let nowhere = try VersionQueries(connection).holders(of: RemotePath("/no/such"), in: Fixture.namespace)
                #expect(nowhere.isEmpty)
                #expect(try VersionQueries(connection).holders(of: .root, in: Fixture.namespace).isEmpty)
            }
        },
        Check("a file that had a path before its folder had its name is not found by it") { database in
            try await database.prepareHome()
            let (a, x) = (Fixture.node(1), Fixture.node(2))
            try await database.commit(1, [NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.file("x", in: a))])
            try await database.commit(2, [NodeChange(2, base: 1, nil)])
            try await database.commit(3, [NodeChange(1, base: 1, Fixture.folder("b"))])
            try await database.commit(4, [NodeChange(3, Fixture.file("y", in: a))])
            try await database.read { connection throws in
                let versions = VersionQueries(connection)
                func holders(_ path: String) throws -> [NodeTenure] {
                    try versions.holders(of: RemotePath(path), in: Fixture.namespace)
                }
                #expect(try holders("/a/x") == [NodeTenure(node: x, from: Revision(1), until: Revision(2))])
                #expect(try holders("/b/x").isEmpty)
                #expect(try holders("/a/y").isEmpty)
                #expect(
                    try holders("/b/y") == [NodeTenure(node: Fixture.node(3), from: Revision(4), until: nil)])
            }
        },
        Check("a file that was in a folder before and after the folder had a name is not found by that name") {
            database in
            try await database.prepareHome()
            let folder = Fixture.node(1)
            try await database.commit(
                1, [NodeChange(1, Fixture.folder("b")), NodeChange(2, Fixture.file("x", in: folder))])
            try await database.commit(2, [NodeChange(2, base: 1, Fixture.file("away", in: folder))])
            try await database.commit(3, [NodeChange(1, base: 1, Fixture.folder("a"))])
            try await database.commit(4, [NodeChange(3, Fixture.file("x", in: folder))])
            try await database.commit(5, [NodeChange(3, base: 4, nil)])
            try await database.commit(6, [NodeChange(1, base: 3, Fixture.folder("b"))])
            try await database.commit(7, [NodeChange(2, base: 2, Fixture.file("x", in: folder))])
            try await database.read { connection throws in
                func holders(_ path: String) throws -> [NodeTenure] {
                    try VersionQueries(connection).holders(of: RemotePath(path), in: Fixture.namespace)
                }
                // The second node was called x from 1 to 2 and from 7 on; the folder was called a from 3 to 6.
                #expect(
                    try holders("/a/x") == [NodeTenure(node: Fixture.node(3), from: Revision(4), until: Revision(5))])
                #expect(try holders("/b/x") == [NodeTenure(node: Fixture.node(2), from: Revision(1), until: nil)])
                #expect(
                    try holders("/a/away")
                        == [NodeTenure(node: Fixture.node(2), from: Revision(3), until: Revision(6))])
            }
        },
        Check("what is gone is listed with its last state, the newest removal first, in pages of any size") {
            database in
            var played = try await playHistory(database, seed: 23, commits: 120)
            // Files go one by one at the end, so that there is something to list.
            let files = played.tree.values.filter { !$0.state.payload.isFolder }.sorted { $0.node < $1.node }
            for (index, file) in files.enumerated() {
                let change = NodeChange(node: file.node, base: file.revision, state: nil)
                try await database.commit(1000 + UInt64(index), [change])
                played.apply([change])
            }
            let model = played
            let gone = model.histories.values.filter { $0.removed != nil }
            let expected = gone.map { ChangePosition(revision: $0.removed ?? .zero, node: $0.latest.node) }.sorted()
            #expect(!expected.isEmpty)
            try await database.read { connection throws in
                for limit in [1, 2, 3, 7, 1000] {
                    let found = try allDeletions(connection, limit: limit)
                    #expect(
                        found.map { ChangePosition(revision: $0.revision, node: $0.version.record.node) }
                            == expected.reversed())
                    for deletion in found {
                        #expect(model.histories[deletion.version.record.node]?.latest == deletion.version.record)
                    }
                }
            }
        },
        Check("a version that was thinned says so, and the kept ones next to it are found") { database in
            try await database.prepareHome()
            try await database.commit(1, [NodeChange(1, Fixture.file("a", content: 1))])
            for upload in 2...6 as ClosedRange<UInt64> {
                try await database.commit(
                    upload, [NodeChange(1, base: upload - 1, Fixture.file("a", content: upload))])
            }
            try await database.write { connection in
                try connection.execute("UPDATE node SET thinned = 7 WHERE valid_from IN (3, 4)", [])
            }
            try await database.read { connection throws in
                let versions = VersionQueries(connection)
                let all = try versions.versions(of: Fixture.node(1), in: Fixture.namespace, limit: 10)
                #expect(all.map(\.isKept) == [true, true, false, false, true, true])
                #expect(all[2].thinned == Timestamp(nanoseconds: 7))
                func kept(_ revision: UInt64) throws -> [UInt64?] {
                    let found = try versions.keptVersions(
                        around: Revision(revision), of: Fixture.node(1), in: Fixture.namespace)
                    return [found.before?.number, found.after?.number]
                }
                #expect(try kept(4) == [2, 5])
                func thinned(_ revisions: [UInt64], of node: UInt64 = 1) throws -> Set<UInt64> {
                    let positions = revisions.map { ChangePosition(revision: Revision($0), node: Fixture.node(node)) }
                    let found = try versions.thinned(among: positions, in: Fixture.namespace)
                    #expect(found.isSubset(of: positions))
                    return Set(found.map(\.revision.number))
                }
                #expect(try thinned([1, 2, 3, 5]) == [3])
                #expect(try thinned(Array(1...2000)) == [3, 4])
                #expect(try thinned([1, 2, 5, 6, 99]).isEmpty)
                #expect(try thinned([3, 4], of: 2).isEmpty)
                #expect(try thinned([]).isEmpty)
                #expect(try kept(1) == [nil, 2])
                #expect(try kept(6) == [5, nil])
            }
        },
        Check("pins are set, renamed and taken off, version by version") { database in
            try await database.prepareHome()
            @Sendable func pin(_ revision: UInt64, _ name: String) -> PinRecord {
                PinRecord(
                    node: Fixture.node(1), revision: Revision(revision), name: name, device: Fixture.device,
                    created: Fixture.time)
            }
            let found = try await database.write { connection throws -> [[PinRecord]] in
                let pins = PinQueries(connection)
                var found: [[PinRecord]] = []
                for one in [pin(2, "b"), pin(1, "a"), pin(2, "c")] { try pins.set(one, in: Fixture.namespace) }
                found.append(try pins.pins(of: Fixture.node(1), in: Fixture.namespace))
                #expect(try pins.remove(Fixture.node(1), Revision(1), in: Fixture.namespace) == 1)
                #expect(try pins.remove(Fixture.node(1), Revision(1), in: Fixture.namespace) == 0)
                found.append(try pins.pins(of: Fixture.node(1), in: Fixture.namespace))
                try pins.set(pin(9, "z"), in: Fixture.namespace)
                #expect(try pins.remove(Fixture.node(1), nil, in: Fixture.namespace) == 2)
                found.append(try pins.pins(of: Fixture.node(1), in: Fixture.namespace))
                #expect(try pins.pins(of: Fixture.node(2), in: Fixture.namespace).isEmpty)
                return found
            }
            #expect(found == [[pin(1, "a"), pin(2, "c")], [pin(2, "c")], []])
        },
        Check("a moment stands for the last revision at it or before, whatever the clock did in between") { database in
            try await database.prepareHome()
            // The clock was wrong by far at the third commit.
            for (upload, second) in ([10, 20, 1000, 30, 30] as [Int64]).enumerated() {
                try await database.commit(
                    UInt64(upload) + 1, [NodeChange(UInt64(upload) + 1, Fixture.file("f\(upload)"))],
                    at: Timestamp(nanoseconds: second))
            }
            try await database.read { connection throws in
                let commits = CommitQueries(connection)
                let found = try [0, 9, 10, 19, 20, 29, 30, 5000].map { moment in
                    try commits.revision(at: Timestamp(nanoseconds: moment), in: Fixture.namespace).number
                }
                #expect(found == [0, 0, 1, 1, 2, 2, 5, 5])
                let revisions = try commits.revisions(
                    by: Fixture.device, from: Timestamp(nanoseconds: 20), until: Timestamp(nanoseconds: 30),
                    in: Fixture.namespace)
                #expect(revisions.map(\.number) == [2, 4, 5])
                let others = try commits.revisions(
                    by: DeviceID(high: 9, low: 9), from: Timestamp(nanoseconds: 0),
                    until: Timestamp(nanoseconds: 99), in: Fixture.namespace)
                #expect(others.isEmpty)
                let some = try commits.commits(of: [Revision(2), Revision(4), Revision(77)], in: Fixture.namespace)
                #expect(some.mapValues(\.time.nanoseconds) == [Revision(2): 20, Revision(4): 30])
            }
        },
    ]
}
