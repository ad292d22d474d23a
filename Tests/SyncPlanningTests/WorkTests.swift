import Model
import SyncPlanning
import TestSupport
import Testing

/// How much the planner does, and that size does not break it.
@Suite struct WorkTests {
    /// Counts how often it is asked.
    private final class CountingTree: SyncedTree {
        let tree: DictionaryTree
        private(set) var lookups = 0

        init(_ tree: DictionaryTree) { self.tree = tree }

        func record(of node: NodeID) -> NodeRecord? {
            lookups += 1
            return tree.record(of: node)
        }

        func child(of parent: NodeID, named name: NodeName) -> NodeID? {
            lookups += 1
            return tree.child(of: parent, named: name)
        }
    }

    /// What a tree on disk throws.
    private struct DiskError: Error {}

    private struct BrokenTree: SyncedTree {
        func record(of node: NodeID) throws -> NodeRecord? { throw DiskError() }
        func child(of parent: NodeID, named name: NodeName) throws -> NodeID? { throw DiskError() }
    }

    private func plan(
        _ tree: some SyncedTree, remote: [NodeID: RemoteNode] = [:], local: [NodeID: LocalNode] = [:]
    ) throws -> Plan {
        var generator = SeededGenerator(seed: 1)
        return try SyncPlanner(device: "laptop", date: "2026-01-02")
            .plan(synced: tree, remote: remote, local: local, using: &generator)
    }

    private func name(_ number: UInt64) throws -> NodeName { try NodeName("n\(number)") }

    private func id(_ number: UInt64) -> NodeID { NodeID(high: 0, low: number) }

    @Test("the synced tree is asked by the number of changes, whatever its size", arguments: [100, 5000] as [UInt64])
    func lookups(size: UInt64) throws {
        var records = [NodeRecord(node: 1, revision: Revision(1), state: folder("d"))]
        for number in 2...size {
            records.append(
                NodeRecord(node: id(number), revision: Revision(1), state: file(number, try name(number), in: 1)))
        }
        let tree = CountingTree(DictionaryTree(records))
        let result = try plan(
            tree, remote: [1: RemoteNode(revision: Revision(2), state: folder("e"))],
            local: [2: .present(file(1, "new", in: 1)), 3: .removed, 10_000: .present(file(1, try name(4), in: 77))])
        #expect(result.local.count == 1)
        #expect(tree.lookups <= 20)
    }

    @Test("a chain of many renames and a deep nest of folders need no stack")
    func longChains() throws {
        let count: UInt64 = 5000
        var records: [NodeRecord] = []
        var remote: [NodeID: RemoteNode] = [:]
        for number in 1...count {
            records.append(NodeRecord(node: id(number), revision: Revision(1), state: file(number, try name(number))))
            remote[id(number)] = RemoteNode(revision: Revision(2), state: file(number, try name(number + 1)))
        }
        let chain = try plan(DictionaryTree(records), remote: remote)
        #expect(chain.local.map(\.node) == (1...count).reversed().map(id))

        var nest: [NodeID: LocalNode] = [:]
        for number in 1...count {
            nest[id(number)] = .present(folder("d", in: number == count ? .root : id(number + 1)))
        }
        let made = try plan(DictionaryTree(), local: nest)
        #expect(made.remote.joined().map(\.node) == (1...count).reversed().map(id))
        let there = nest.mapValues { RemoteNode(revision: Revision(2), state: $0.state) }
        #expect(try plan(DictionaryTree(), remote: there).local.map(\.node) == (1...count).reversed().map(id))
    }

    @Test("a ring of many renames is parked once here, and is one group there")
    func ring() throws {
        let count: UInt64 = 1000
        var records: [NodeRecord] = []
        var remote: [NodeID: RemoteNode] = [:]
        var local: [NodeID: LocalNode] = [:]
        for number in 0..<count {
            records.append(NodeRecord(node: id(number + 1), revision: Revision(1), state: file(1, try name(number))))
            let moved = file(1, try name((number + 1) % count))
            remote[id(number + 1)] = RemoteNode(revision: Revision(2), state: moved)
            local[id(number + 1)] = .present(moved)
        }
        let received = try plan(DictionaryTree(records), remote: remote)
        #expect(received.local.filter { $0.step == .park }.count == 1)
        #expect(received.local.count == Int(count) + 1)
        let sent = try plan(DictionaryTree(records), local: local)
        #expect(sent.remote.map(\.count) == [Int(count)])
    }

    @Test("equal trees and equal randomness give equal plans, in whatever order the overlays were filled")
    func deterministic() throws {
        let nodes = (UInt64(1)...60).map { id($0) }
        func overlay(_ order: [NodeID]) throws -> [NodeID: LocalNode] {
            var overlay: [NodeID: LocalNode] = [:]
            for node in order { overlay[node] = .present(file(node.low, try name(node.low))) }
            return overlay
        }
        var remote: [NodeID: RemoteNode] = [:]
        for node in nodes {
            remote[node] = RemoteNode(revision: Revision(1), state: file(node.low + 100, try name(node.low)))
        }
        let one = try plan(DictionaryTree(), remote: remote, local: try overlay(nodes))
        let other = try plan(DictionaryTree(), remote: remote, local: try overlay(nodes.reversed()))
        #expect(one == other)
        #expect(one.conflicts.count == nodes.count)
    }

    @Test("what the synced tree throws comes through")
    func failures() {
        #expect(throws: DiskError.self) { try plan(BrokenTree(), local: [1: .removed]) }
    }
}
