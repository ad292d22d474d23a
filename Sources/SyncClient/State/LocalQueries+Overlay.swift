import GRDB
import Model
import SyncPlanning

extension LocalQueries {
    /// The overlay as the planner takes it.
    ///
    /// What is new on disk comes first seen first, at most `newLimit` of it and the folders that it needs: a part of a
    /// first upload is a tree too, so a million new files are planned in portions. All other differences are always
    /// in it. A file whose bytes are unread is as it was synced, but at its place; a new one is left out.
    func overlay(newLimit: Int = .max) throws -> [NodeID: LocalNode] {
        var overlay: [NodeID: LocalNode] = [:]
        let changed = try PreparedQuery(
            """
            \(Self.selection) AS l WHERE link = ? AND EXISTS
            (SELECT 1 FROM synced AS s WHERE s.link = l.link AND s.node = l.node)
            """, on: connection)
        changed.bind(1, link)
        for record in try changed.all(LocalRecord.init) { overlay[record.node] = try planned(record) }
        let new = try PreparedQuery(
            """
            \(Self.selection) AS l WHERE link = ? AND condition IN (0, 3) AND NOT EXISTS
            (SELECT 1 FROM synced AS s WHERE s.link = l.link AND s.node = l.node) ORDER BY sequence LIMIT ?
            """, on: connection)
        new.bind(1, link)
        new.bind(2, Int64(clamping: newLimit))
        for record in try new.all(LocalRecord.init) { overlay[record.node] = try planned(record) }
        if newLimit != .max { try completeFolders(of: &overlay) }
        return overlay
    }

    private func planned(_ record: LocalRecord) throws -> LocalNode? {
        switch record.condition {
        case .present(let state): return .present(state)
        case .parked(let state): return .parked(state)
        case .removed: return .removed
        case .unread(let placement):
            guard var state = try SyncedQueries(connection, link: link).record(of: record.node)?.state else {
                return nil
            }
            state.placement = placement
            return .present(state)
        }
    }

    /// Adds the new folders that something in the overlay lies in.
    private func completeFolders(of overlay: inout [NodeID: LocalNode]) throws {
        var waiting = overlay.values.compactMap { $0.state?.parent }
        while let folder = waiting.popLast() {
            guard overlay[folder] == nil, let record = try record(of: folder), let node = try planned(record) else {
                continue
            }
            overlay[folder] = node
            if let parent = node.state?.parent { waiting.append(parent) }
        }
    }

    /// Gives things on disk new ids: ``Plan/identities``. Call it within one transaction.
    func rename(_ identities: [Plan.Identity]) throws {
        let view = LocalView(connection, link: link)
        for identity in identities {
            guard var record = try view.record(of: identity.old) else { continue }
            record.node = identity.new
            for var child in try view.children(of: identity.old) {
                child.move(into: identity.new)
                try note([child])
            }
            // The old id is gone from disk; what the server has under it, the plan puts there anew.
            try note([LocalRecord(node: identity.old, condition: .removed, fingerprint: record.fingerprint)])
            try note([record])
        }
    }

    /// Notes what nodes are on disk now, and settles those of them that are there as agreed.
    ///
    /// A node in a folder that is not in the synced tree is not settled: it has to wait for its folder.
    /// - Parameters:
    ///   - records: What is on disk, by node.
    ///   - agreed: What the server has of them.
    ///   - root: The root of the link's tree.
    /// - Returns: The nodes that were settled.
    /// - Throws: ``ClientError`` when the state can't be written.
    func note(
        _ records: [NodeID: LocalRecord], settling agreed: [NodeID: NodeRecord], root: NodeID
    ) throws -> Set<NodeID> {
        var settled: Set<NodeID> = [root]
        var waiting: Set<NodeID> = []
        for node in agreed.isEmpty ? [] : Array(records.keys) where !settled.contains(node) {
            // The folders around it that are settled by the same note go first.
            var chain = [node]
            while let parent = chain.last.flatMap({ agreed[$0]?.state.parent }), !settled.contains(parent),
                !waiting.contains(parent), records[parent] != nil
            {
                chain.append(parent)
            }
            for node in chain.reversed() {
                guard let local = records[node], let record = agreed[node] else { break }
                guard try settle(record, local, in: settled) else {
                    waiting.insert(node)
                    break
                }
                settled.insert(node)
            }
        }
        try note(records.lazy.filter { !settled.contains($0.key) }.map(\.value))
        settled.remove(root)
        return settled
    }

    /// Settles one node that is on disk as agreed, in a folder that is settled.
    private func settle(_ record: NodeRecord, _ local: LocalRecord, in settled: Set<NodeID>) throws -> Bool {
        let synced = SyncedQueries(connection, link: link)
        guard local.condition == .present(record.state) else { return false }
        let parent = record.state.parent
        guard try settled.contains(parent) || synced.record(of: parent) != nil else { return false }
        try RemoteQueries(connection, link: link).settle(Plan.Settlement(node: record.node, record: record))
        try synced.put([SyncedRecord(record: record, fingerprint: local.fingerprint, isRacy: local.isRacy)])
        try drop([record.node])
        return true
    }

    /// Notes what nodes are agreed on from now: ``Plan/settled``, and the changes of a commit that was accepted.
    ///
    /// A row of this table stays where the disk has gone on since, and one of the remote overlay where the server has.
    func settle(_ settlements: [Plan.Settlement]) throws {
        let synced = SyncedQueries(connection, link: link)
        let remote = RemoteQueries(connection, link: link)
        for settlement in settlements {
            let local = try LocalView(connection, link: link).record(of: settlement.node)
            guard let record = settlement.record else {
                try remote.settle(settlement)
                try synced.remove([settlement.node])
                if local?.condition == .removed { try drop([settlement.node]) }
                continue
            }
            // What is not on this disk can't be agreed on: it stays news.
            guard let local else { continue }
            try remote.settle(settlement)
            // The row must outlive the synced state that it was measured against.
            let isOverlay = try self.record(of: settlement.node) != nil
            if !isOverlay, local.state != record.state { try keep(local) }
            try synced.put([
                SyncedRecord(
                    record: record, fingerprint: local.fingerprint, isRacy: local.isRacy || local.state == nil)
            ])
            if local.condition == .present(record.state) { try drop([settlement.node]) }
        }
    }
}

extension LocalRecord {
    /// Puts the entry under another folder id, without a change of its name.
    mutating func move(into parent: NodeID) {
        switch condition {
        case .present(var state):
            state.parent = parent
            condition = .present(state)
        case .parked(var state):
            state.parent = parent
            condition = .parked(state)
        case .unread(var placement):
            placement.parent = parent
            condition = .unread(placement)
        case .removed: break
        }
    }
}
