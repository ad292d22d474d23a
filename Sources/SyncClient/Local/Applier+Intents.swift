import Glibc
import Model
import SyncPlanning

/// Knowing after a kill which steps were done.
extension Applier {
    /// What each step will have made of its node, as far as that can be told by the inode that is then in its place, or
    /// that is no longer there.
    func intents(of actions: [LocalAction], _ files: [NodeID: StagedFile]) throws -> [LocalRecord] {
        var expected: [NodeID: LocalRecord] = [:]
        var intents: [LocalRecord] = []
        for action in actions {
            guard var record = try expected[action.node] ?? created(action, files) ?? record(of: action.node) else {
                continue
            }
            switch action.step {
            case .placeFile(let state), .placeSymlink(let state):
                guard let file = files[action.node] else { continue }
                record.fingerprint = file.fingerprint
                record.condition = .present(state)
            case .move(let placement):
                guard var state = record.state else { continue }
                state.placement = placement
                record.condition = .present(state)
            case .setAttributes(let mode, let modified):
                guard var state = record.state else { continue }
                (state.mode, state.modified) = (mode, modified)
                record.condition = .present(state)
                record.fingerprint.set(mode: mode, modified: modified)
            case .remove: record.condition = .removed
            case .makeFolder: break
            // Recovery finds it in the parking area.
            case .park: continue
            }
            expected[action.node] = record
            intents.append(record)
        }
        return intents
    }

    /// The record of what is new on this disk.
    private func created(_ action: LocalAction, _ files: [NodeID: StagedFile]) -> LocalRecord? {
        guard action.before?.state == nil else { return nil }
        switch action.step {
        case .placeFile(let state), .placeSymlink(let state):
            return files[action.node].map {
                LocalRecord(node: action.node, condition: .present(state), fingerprint: $0.fingerprint)
            }
        case .makeFolder(let state):
            return LocalRecord(node: action.node, condition: .present(state), fingerprint: .folderToBe)
        default: return nil
        }
    }

    /// Takes for done what is on disk as it was intended. The last intent of a node that holds counts.
    ///
    /// Where a folder is depends on the intents of those around it, so they are tried again until no more holds.
    func adoptIntents() throws {
        let intents = try database.read { try IntentQueries($0, link: link.id).all() }
        var adopted: [NodeID: Int] = [:]
        var isMore = true
        while isMore {
            isMore = false
            for (index, intent) in intents.enumerated() where index > adopted[intent.node] ?? -1 {
                guard let seen = try holds(intent) else { continue }
                var record = intent
                let found = intent.fingerprint == .folderToBe ? try finishFolder(intent, seen) : seen
                record.fingerprint = found
                if found.kind == .folder, case .present(var state) = record.condition {
                    state.mode = found.permissions
                    record.condition = .present(state)
                }
                record.isRacy = found.kind == .file && found.isRacy(readAt: clock.now())
                changes[intent.node] = record
                adopted[intent.node] = index
                isMore = true
            }
        }
    }

    /// What is in the place of an intent, if it is the entry that was to be there.
    private func holds(_ intent: LocalRecord) throws -> Fingerprint? {
        if case .removed = intent.condition {
            // What can't be looked at may well be there.
            guard let isGone = try? isGone(intent), isGone else { return nil }
            return intent.fingerprint
        }
        guard let placement = intent.placement, let parent = try? folder(of: placement.parent),
            let found = try? parent.status(of: placement.name.bytes)
        else { return nil }
        let expected = intent.fingerprint
        if expected == .folderToBe { return try isNew(found) ? found : nil }
        let isSame =
            found.isSameInode(as: expected) && (found.kind == .folder || found.isSameVersionMoved(as: expected))
        return isSame ? found : nil
    }

    /// Gives a folder that was made its mode, if the kill came before that was done.
    private func finishFolder(_ intent: LocalRecord, _ found: Fingerprint) throws -> Fingerprint {
        guard let state = intent.state, found.permissions == Self.newFolderMode, state.mode != found.permissions else {
            return found
        }
        let handle = try folder(of: state.parent).open(state.name.bytes, O_RDONLY | O_DIRECTORY)
        guard try handle.status().isSameInode(as: found) else { return found }
        try handle.setPermissions(state.mode)
        return try handle.status()
    }

    /// Whether a folder is none that was ever noted. If it was not made by the step, then by the user, with the same name
    /// in the same place: the two are one anyway.
    private func isNew(_ found: Fingerprint) throws -> Bool {
        guard found.kind == .folder else { return false }
        return try database.read { try LocalView($0, link: link.id).records(withInode: found.inode) }
            .allSatisfy { !$0.fingerprint.isSameInode(as: found) }
    }
}

extension Applier {
    /// Whether a node that was to be removed is not where it was. If it is elsewhere, the next scan knows it by its inode.
    private func isGone(_ intent: LocalRecord) throws -> Bool {
        guard let placement = try record(of: intent.node)?.placement,
            let parent = try ifThere({ try folder(of: placement.parent) }),
            let found = try ifThere({ try parent.status(of: placement.name.bytes) }) ?? nil
        else { return true }
        return !found.isSameInode(as: intent.fingerprint)
    }

    /// What is found, or nil where it is not there.
    private func ifThere<Answer>(_ look: () throws -> Answer) throws -> Answer? {
        do {
            return try look()
        } catch let error as ClientError where [.notFound, .notFolder, .changedMeanwhile].contains(error.code) {
            return nil
        }
    }
}

extension Fingerprint {
    /// Stands for that of a folder that has not been made.
    static let folderToBe = Fingerprint(
        device: 0, inode: 0, size: 0, modified: 0, changed: 0, born: 0, mode: UInt32(S_IFDIR))

    /// Sets what ``LocalAction/Step/setAttributes(mode:modified:)`` sets.
    mutating func set(mode: UInt16, modified: Timestamp) {
        self.mode = self.mode & ~0o7777 | UInt32(mode)
        if kind == .file { self.modified = modified.nanoseconds }
    }
}
