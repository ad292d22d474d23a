import Blocks
import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport

@testable import SyncClient

/// Bytes by the content that they are: what a server would send.
typealias ContentStore = [ContentID: [UInt8]]

extension LocalWorld {
    /// The content of bytes, however many blocks they are.
    static func recipe(_ bytes: [UInt8]) -> Content {
        var builder = RecipeBuilder()
        var position = 0
        _ = try! ContentSplitter(chunker: Chunker()).split { buffer in
            let count = min(buffer.count, bytes.count - position)
            bytes[position..<(position + count)].withUnsafeBytes { buffer.copyMemory(from: $0) }
            position += count
            return count
        } block: { id, bytes in
            builder.append(RecipeEntry(block: id, length: UInt32(bytes.count))) { _ in }
        }
        return builder.finish { _ in }
    }

    /// All bytes in the tree by their contents.
    func contents() throws -> ContentStore {
        var store: ContentStore = [:]
        for entry in try tree(root).values where entry.kind == "file" {
            store[Self.recipe(entry.bytes).id] = entry.bytes
        }
        return store
    }

    func receive(_ nodes: [NodeID: RemoteNode]) throws {
        revision = max(revision, nodes.values.map(\.revision.number).max() ?? 0)
        try database.write { try RemoteQueries($0, link: link.id).put(nodes) }
    }

    /// One pass of the client: scan, read, plan, apply, settle; what it sends is accepted. Returns the plan.
    @discardableResult
    func pass(_ store: ContentStore, hook: @escaping ApplierHook = { _ in }) throws -> Plan {
        try scan()
        try readWhatHolds()
        let plan = try database.read { connection in
            try SyncPlanner(device: "laptop", date: "2026-01-02").plan(
                synced: StoredSyncedTree(connection, link: link.id),
                remote: RemoteQueries(connection, link: link.id).overlay(),
                local: LocalQueries(connection, link: link.id).overlay(), using: &generator)
        }
        try database.write { try LocalQueries($0, link: link.id).rename(plan.identities) }
        let applier = try applier(hook)
        let report = try applier.perform(plan.local, files: build(plan, applier, store))
        var settled = plan.settled.filter { !report.failed.contains($0.node) }
        if !plan.remote.isEmpty { revision += 1 }
        settled += plan.remote.joined().map { change in
            Plan.Settlement(
                node: change.node,
                record: change.state.map {
                    NodeRecord(node: change.node, revision: Revision(revision), state: $0)
                })
        }
        try database.write { try LocalQueries($0, link: link.id).settle(settled) }
        if report.failed.isEmpty { try applier.finish() }
        return plan
    }

    /// Passes until there is nothing to do. Returns how many it took; nil when they do not end.
    func converge(_ store: ContentStore) throws -> Int? {
        for count in 1...12 where try pass(store).isEmpty { return count }
        return nil
    }

    private func build(_ plan: Plan, _ applier: Applier, _ store: ContentStore) throws -> [NodeID: StagedFile] {
        var files: [NodeID: StagedFile] = [:]
        for action in plan.local {
            guard case .placeFile(let state) = action.step, let content = state.payload.content,
                let bytes = content.size == 0 ? [] : store[content.id]
            else { continue }
            let builder = try applier.build(action.node, state)
            try bytes.withUnsafeBytes { try builder.write($0, at: 0) }
            files[action.node] = try builder.finish()
        }
        return files
    }

    private func readWhatHolds() throws {
        do {
            try readChanged()
        } catch let error as ClientError where [.unstable, .changedMeanwhile, .notFound].contains(error.code) {
            // Another program was at it: the next pass reads it.
        }
    }
}
