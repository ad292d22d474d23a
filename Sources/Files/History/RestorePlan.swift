import Metadata
import Model

/// Works out what a restore changes.
struct RestorePlan {
    let connection: any MetadataConnection
    let namespace: NamespaceID
    let path: RemotePath
    let source: RestoreSource.Found
    let now: Timestamp
    /// Ids for folders that are made around what comes back.
    let spare: [NodeID]

    /// The most entries of a folder that are restored at once.
    private static let mostEntries = 1_000_000

    private var tree: DatabaseTree { DatabaseTree(connection: connection, namespace: namespace) }

    func settled(to target: RemotePath?, draw: () -> NodeID) throws -> HistoryPlan {
        guard let root = try VersionQueries(connection).version(of: source.node, in: namespace, at: source.revision)
        else { throw FilesError(.notFound, "there was nothing at \(path) at revision \(source.revision)") }
        let present = try NodeQueries(connection).node(source.node, in: namespace)
        if !root.isKept, present?.state.payload != root.record.state.payload || target != nil {
            throw try FilesError.notKept(root, at: path, in: namespace, connection)
        }
        if let target { return try copied(root, to: target, isPresent: present != nil, draw: draw) }
        guard let present else { return try returned(root) }
        return try reverted(root, from: present)
    }

    /// What is there gets the version's bytes and mode where it is now; a folder also what it held.
    private func reverted(_ root: NodeVersion, from present: NodeRecord) throws -> HistoryPlan {
        var state = present.state
        if root.record.state.payload != state.payload { state.modified = root.record.state.modified }
        state.payload = root.record.state.payload
        state.mode = root.record.state.mode
        let entries = try entries(of: root)
        return try plan(
            [NodeGoal(node: root.record.node, state: state, source: root.position)] + entries.goals, left: entries.left)
    }

    /// What is gone comes back where it was.
    private func returned(_ root: NodeVersion) throws -> HistoryPlan {
        var state = root.record.state
        var made: [NodeChange] = []
        if state.parent != .root, try NodeQueries(connection).node(state.parent, in: namespace) == nil {
            let around = try VersionQueries(connection).path(of: state.parent, in: namespace, at: source.revision)
            (state.parent, made) = try folder(around ?? .root)
        }
        let entries = try entries(of: root)
        return try plan(
            [NodeGoal(node: root.record.node, state: state, source: root.position)] + entries.goals, made: made,
            left: entries.left)
    }

    /// It goes to another place: as itself when it is gone, else as a copy with ids of its own.
    private func copied(
        _ root: NodeVersion, to target: RemotePath, isPresent: Bool, draw: () -> NodeID
    ) throws -> HistoryPlan {
        guard let name = target.name, let parent = target.parent,
            try NodeQueries(connection).resolve(target, in: namespace) == nil
        else { throw FilesError(.alreadyExists, "there is an entry at \(target) already") }
        let (folder, made) = try folder(parent)
        var state = root.record.state
        (state.parent, state.name) = (folder, name)
        let entries = try entries(of: root, isCopy: isPresent)
        guard isPresent else {
            return try plan(
                [NodeGoal(node: root.record.node, state: state, source: root.position)] + entries.goals, made: made,
                left: entries.left)
        }
        let copy = draw()
        var ids = [root.record.node: copy]
        for entry in entries.goals { ids[entry.node] = draw() }
        let copies = entries.goals.compactMap { entry -> NodeGoal? in
            guard let id = ids[entry.node], var state = entry.state, let parent = ids[state.parent] else { return nil }
            state.parent = parent
            return NodeGoal(node: id, state: state, source: entry.source)
        }
        return try plan(
            [NodeGoal(node: copy, state: state, source: root.position)] + copies, made: made, left: entries.left)
    }

    private func folder(_ path: RemotePath) throws -> (folder: NodeID, changes: [NodeChange]) {
        guard path.names.count <= spare.count else {
            throw FilesError(.tooLarge, "\(path) is deeper than can be made at once: make its folders first")
        }
        return try TreeLookup(connection: connection, namespace: namespace).folder(path, making: spare, at: now)
    }

    private func plan(
        _ goals: [NodeGoal], made: [NodeChange] = [], left: [NodeID: LeftReason] = [:]
    ) throws -> HistoryPlan {
        let time = now
        var plan = try Settlement.plan(goals, made: made, left: left, in: tree) { name, attempt in
            RestoredName.name(name, at: time, attempt)
        }
        // Folders that were made for what could not come back are not wanted.
        let wanted = Set(plan.changes.map(\.node)).subtracting(made.map(\.node))
        if wanted.isEmpty { plan.changes = [] }
        return plan
    }

    /// What a folder held then. What is now in another folder stays there, unless this is for a copy.
    private func entries(
        of root: NodeVersion, isCopy: Bool = false
    ) throws -> (goals: [NodeGoal], left: [NodeID: LeftReason]) {
        guard root.record.state.payload.isFolder else { return ([], [:]) }
        let records = try PastNode(connection: connection, namespace: namespace).descendants(
            of: root.record.node, at: source.revision, limit: Self.mostEntries)
        let ids = records.map(\.node)
        let versions = try VersionQueries(connection).versions(of: ids, in: namespace, at: source.revision)
        let present = try NodeQueries(connection).nodes(ids, in: namespace)
        var scope = ScopeSearch(connection, namespace, below: [root.record.node])
        var goals: [NodeGoal] = []
        var left: [NodeID: LeftReason] = [:]
        for record in records {
            let isKept = versions[record.node]?.isKept ?? true
            if isCopy, !isKept {
                left[record.node] = .notKept
            } else if !isCopy, present[record.node] != nil, try !scope.contains(record.node, at: nil) {
                left[record.node] = .movedAway
            } else {
                goals.append(
                    NodeGoal(
                        node: record.node, state: record.state, isKept: isKept,
                        source: versions[record.node]?.position))
            }
        }
        return (goals, left)
    }
}

/// The name of what comes back while its own name is taken.
enum RestoredName {
    /// `name (restored 2026-01-02 15.04).ext`, in UTC; with a number from the second attempt on. A name that would
    /// become too long loses its end before the mark.
    static func name(_ name: NodeName, at time: Timestamp, _ attempt: Int) -> NodeName? {
        let bytes = name.bytes
        // A dot at the start hides a file, it does not part an extension from it; what is very long is none either.
        let dot = bytes.lastIndex(of: UInt8(ascii: ".")).flatMap { $0 > 0 && bytes.count - $0 <= 16 ? $0 : nil }
        let stem = bytes[..<(dot ?? bytes.count)]
        let ending = bytes[(dot ?? bytes.count)...]
        let number = attempt == 0 ? "" : " \(attempt + 1)"
        let mark = Array(" (restored \(time.minuteText)\(number))".utf8)
        let room = NodeName.maximumLength - mark.count - ending.count
        return try? NodeName(bytes: Self.cut(stem, to: room) + mark + ending)
    }

    /// As many bytes as fit, without half a character of UTF-8 at the end.
    private static func cut(_ bytes: ArraySlice<UInt8>, to count: Int) -> [UInt8] {
        guard bytes.count > count else { return Array(bytes) }
        var end = bytes.startIndex + max(0, count)
        while end > bytes.startIndex, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(bytes[..<end])
    }
}

extension Timestamp {
    /// `2026-01-02 15.04` in UTC: the calendar of Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    fileprivate var minuteText: String {
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let minute = (seconds - days * 86_400) / 60
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))"
            + " \(two(minute / 60)).\(two(minute % 60))"
    }
}
