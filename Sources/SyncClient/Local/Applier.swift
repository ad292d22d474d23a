import Glibc
import Model
import SyncPlanning

/// Carries out the local steps of a plan on the linked folder, and notes what came of them.
///
/// A step first makes sure that the disk is as the plan believed. Since other programs go on writing between that look
/// and the rename, it looks again at what the rename displaced, and keeps what nobody had seen. So no byte
/// is lost that was not synced, and none is seen half written.
///
/// What the state calls synced is durable: the bytes are synced before a rename shows them, the renames before
/// the state notes them, each once for all steps of a call.
final class Applier {
    let folder: LinkedFolder
    let link: LinkRecord
    let database: ClientDatabase
    let clock: any WallClock
    let staging: Staging
    let naming: ConflictNaming
    let hook: ApplierHook

    /// What the steps of this call have made of nodes, not yet noted.
    var changes: [NodeID: LocalRecord] = [:]
    /// Folders whose names changed in this call, as long as they are few.
    var touched: [LocalPath: OpenFile] = [:]
    /// Read-only folders that were opened in this call.
    var opened: Set<OpenedFolder> = []
    /// Where nodes are parked.
    var parkings: [NodeID: StagingArea] = [:]
    var report = ApplierReport()
    private var handles: [NodeID: OpenFile] = [:]

    /// Makes an applier on a linked folder that has been opened.
    ///
    /// Bytes that nobody had seen get names by `naming`. Tests pass a `hook` to be called at every moment.
    init(
        folder: LinkedFolder, link: LinkRecord, database: ClientDatabase, clock: any WallClock,
        naming: ConflictNaming, hook: @escaping ApplierHook = { _ in }
    ) throws {
        self.folder = folder
        self.link = link
        self.database = database
        self.clock = clock
        self.naming = naming
        self.hook = hook
        staging = try Staging(folder: folder, link: link, database: database)
    }

    /// Begins the building of the file that a ``LocalAction/Step/placeFile(_:)`` step will put in its place.
    func build(_ node: NodeID, _ state: NodeState) throws -> FileBuilder {
        guard let content = state.payload.content else {
            throw ClientError(.corrupt, "'\(state.name)' is to be built and is no file")
        }
        return try FileBuilder(node: node, state: state, content: content, area: staging.main())
    }

    /// Performs steps in order, and notes in the local overlay what the nodes are then.
    ///
    /// A step that fails is left out, and with it those on the same node and below it; the others go on.
    /// - Parameters:
    ///   - actions: The steps.
    ///   - files: The files built for the `placeFile` steps among them.
    ///   - records: What nodes are agreed on once they are on disk like that: they are settled with the note, so that no
    ///     kill comes between the two.
    /// - Returns: What became of each step. The nodes in ``ApplierReport/failed`` are not to be settled.
    /// - Throws: ``ClientError`` when the disk can't be synced or the state not be written: then nothing is noted,
    ///   and the next scan finds what was done.
    func perform(
        _ actions: [LocalAction], files: [NodeID: StagedFile] = [:], settling records: [NodeID: NodeRecord] = [:]
    ) throws -> ApplierReport {
        report = ApplierReport()
        changes = [:]
        touched = [:]
        try hook(.beforeBatchSync)
        try syncBytes(of: files)
        let files = try files.merging(stageLinks(actions)) { file, _ in file }
        let intents = try intents(of: actions, files)
        try database.write { try IntentQueries($0, link: link.id).replace(with: intents) }
        try hook(.afterBatchSync)
        for action in actions { report.outcomes.append(try attempt(action, files[action.node])) }
        try syncNames()
        try hook(.beforeNote)
        try noteChanges(settling: records)
        try hook(.afterNote)
        // A handle of a folder that was removed would open nothing.
        handles.removeAll()
        return report
    }

    /// Removes what was built and not placed, and the staging folder when nothing is in it.
    func finish() throws { try staging.clear() }

    /// Notes what was done, and that nothing is under way any more.
    func noteChanges(settling records: [NodeID: NodeRecord] = [:]) throws {
        report.settled = try database.write { connection in
            let settled = try LocalQueries(connection, link: link.id).note(changes, settling: records, root: link.root)
            try IntentQueries(connection, link: link.id).replace(with: [])
            try OpenedQueries(connection, link: link.id).removeAll()
            return settled
        }
        opened = []
    }

    private func attempt(_ action: LocalAction, _ file: StagedFile?) throws -> StepOutcome {
        if try isBelowFailure(action) {
            report.failed.insert(action.node)
            return .skipped
        }
        do {
            try perform(action, file)
            return .done
        } catch let error as ClientError {
            report.failed.insert(action.node)
            return .failed(Problem(path: try path(of: action), error))
        }
    }

    private func perform(_ action: LocalAction, _ file: StagedFile?) throws {
        let record = try believed(action)
        switch action.step {
        case .makeFolder(let state): try makeFolder(action.node, state)
        case .placeFile(let state): try placeFile(action.node, state, record, file)
        case .placeSymlink(let state): try placeSymlink(action.node, state, record, file)
        case .move(let placement): try move(present(record, action), to: placement)
        case .park: try park(present(record, action))
        case .setAttributes(let mode, let modified):
            try setAttributes(present(record, action), mode: mode, modified: modified)
        case .remove: try remove(present(record, action))
        }
    }

    private func present(_ record: LocalRecord?, _ action: LocalAction) throws -> LocalRecord {
        guard let record, record.state != nil else {
            throw ClientError(.notFound, "a node that is to change is not on disk")
        }
        return record
    }

    /// What is noted of the node, provided that it is what the plan believed.
    private func believed(_ action: LocalAction) throws -> LocalRecord? {
        let record = try record(of: action.node)
        let isAsBelieved: Bool =
            switch (action.before, record?.condition) {
            case (nil, nil), (nil, .removed), (.removed, nil), (.removed, .removed): true
            case (.present(let state), .present(let noted)): state == noted
            case (.parked(let state), .parked(let noted)): state == noted
            default: false
            }
        guard isAsBelieved else {
            throw ClientError(.changedMeanwhile, "'\(try path(of: action))' changed since the plan was made")
        }
        if case .removed = record?.condition { return nil }
        return record
    }

    private func isBelowFailure(_ action: LocalAction) throws -> Bool {
        if report.failed.isEmpty { return false }
        if report.failed.contains(action.node) { return true }
        return try [action.target?.parent, record(of: action.node)?.placement?.parent].contains { start in
            var current = start
            while let node = current, node != link.root {
                if report.failed.contains(node) { return true }
                current = try record(of: node)?.placement?.parent
            }
            return false
        }
    }
}

extension LocalAction {
    /// Where the node is after the step; nil when the step does not say.
    var target: Placement? {
        switch step {
        case .makeFolder(let state), .placeFile(let state), .placeSymlink(let state): state.placement
        case .move(let placement): placement
        case .park, .setAttributes, .remove: nil
        }
    }
}

// MARK: - Finding folders

extension Applier {
    /// What a node is on disk by all that was noted and done so far.
    func record(of node: NodeID) throws -> LocalRecord? {
        if let change = changes[node] { return change }
        return try database.read { try LocalView($0, link: link.id).record(of: node) }
    }

    /// The open folder of a node, made sure to be the one that was noted.
    func folder(of node: NodeID) throws -> OpenFile {
        if node == link.root { return folder.handle }
        if let handle = handles[node] { return handle }
        guard let path = try path(of: node), let record = try record(of: node) else {
            throw ClientError(.notFound, "a folder that something is to go into is not on disk")
        }
        let handle = try folder.handle.folder(at: path)
        guard try handle.status().isSameInode(as: record.fingerprint) else {
            throw ClientError(.changedMeanwhile, "the folder '\(handle.path)' is another one than before")
        }
        if handles.count >= Self.openFolders { handles.removeAll() }
        handles[node] = handle
        return handle
    }

    /// Has a folder looked for in its place again: a user may have moved it out of the linked folder since it was opened.
    func reopen(_ node: NodeID) { handles[node] = nil }

    /// How many folders are kept open at once.
    private static let openFolders = 64

    func path(of node: NodeID) throws -> LocalPath? {
        var names: [NodeName] = []
        var current = node
        while current != link.root {
            guard names.count < 100_000, let placement = try record(of: current)?.placement else { return nil }
            names.append(placement.name)
            current = placement.parent
        }
        return LocalPath(names.reversed())
    }

    /// Where a step is at work, for messages.
    func path(of action: LocalAction) throws -> LocalPath {
        if let path = try path(of: action.node) { return path }
        guard let target = action.target ?? action.before?.state?.placement else { return .root }
        return (try path(of: target.parent) ?? .root).appending(target.name)
    }

    /// Notes what a node is after a step, and in which folders names changed.
    func note(_ record: LocalRecord, in folders: OpenFile...) throws {
        changes[record.node] = record
        for handle in folders {
            // The sync of the whole disk at the end is that of the linked folder's own.
            let isCovered = try staging.isOnMainMount(handle)
            if !isCovered {
                try handle.sync()
            } else if touched.count <= Self.manySyncs {
                touched[handle.path] = handle
            }
        }
    }
}

// MARK: - Durability

extension Applier {
    /// From so many files or folders on, one sync of the whole disk is cheaper than one for each.
    private static let manySyncs = 8

    private func syncBytes(of files: [NodeID: StagedFile]) throws {
        if files.isEmpty { return }
        // A file whose mode lets its owner not read it can't be opened to be synced.
        let few = files.count <= Self.manySyncs ? files.values.map { try? $0.open() } : [nil]
        if few.contains(where: { $0 == nil }) { return try folder.handle.syncFileSystem() }
        for file in few { try file?.sync() }
    }

    private func syncNames() throws {
        if touched.count <= Self.manySyncs { return try touched.values.forEach { try $0.sync() } }
        try folder.handle.syncFileSystem()
    }
}
