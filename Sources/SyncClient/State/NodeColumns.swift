import Model

/// How the states of nodes and fingerprints lie in the columns of ``Schema``.
enum NodeColumns {
    static let state = "parent, name, kind, level, digest_key, digest, size, target, mode, modified"
    static let fingerprint = "f_device, f_inode, f_size, f_modified, f_changed, f_born, f_mode, f_racy"
    /// How many columns each of the two has.
    static let stateCount: Int32 = 10
    static let fingerprintCount: Int32 = 8

    /// `?, ?, …` for so many values.
    static func marks(_ count: Int32) -> String {
        Array(repeating: "?", count: Int(count)).joined(separator: ", ")
    }
}

extension PreparedQuery {
    /// Binds a state to the ten parameters from `index` on.
    func bind(_ index: Int32, state: NodeState) {
        bindPlace(index, parent: state.parent, name: state.name, kind: EntryKind(state.payload))
        for offset: Int32 in 3...7 { bindNull(index + offset) }
        switch state.payload {
        case .folder: break
        case .file(let content):
            bind(index + 3, Int64(content.id.level))
            bind(index + 4, content.id.digest.indexKey)
            bind(index + 5, content.id.digest)
            bind(index + 6, content.size)
        case .symlink(let target): bind(index + 7, target)
        }
        bind(index + 8, Int64(state.mode))
        bind(index + 9, state.modified.nanoseconds)
    }

    /// Binds where a node is and what kind it is, to the first three of the ten.
    func bindPlace(_ index: Int32, parent: NodeID, name: NodeName, kind: EntryKind) {
        bind(index, parent)
        bind(index + 1, name.bytes)
        bind(index + 2, Int64(kind.rawValue))
    }

    /// Binds a fingerprint to the eight parameters from `index` on.
    func bind(_ index: Int32, fingerprint: Fingerprint, racy: Bool) {
        bind(index, fingerprint.device)
        bind(index + 1, fingerprint.inode)
        bind(index + 2, fingerprint.size)
        bind(index + 3, fingerprint.modified)
        bind(index + 4, fingerprint.changed)
        bind(index + 5, fingerprint.born)
        bind(index + 6, Int64(fingerprint.mode))
        bind(index + 7, racy)
    }

    /// Reads a state from the ten columns from `column` on.
    func state(_ column: Int32) throws -> NodeState {
        NodeState(
            parent: try identifier(column), name: try name(column + 1), payload: try payload(column + 2),
            mode: UInt16(truncatingIfNeeded: integer(column + 8)),
            modified: Timestamp(nanoseconds: integer(column + 9)))
    }

    private func payload(_ column: Int32) throws -> NodePayload {
        switch try kind(column) {
        case .folder: return .folder
        case .symlink: return .symlink(target: bytes(column + 5))
        case .file:
            guard !isNull(column + 3) else { throw malformed(column + 3) }
            let id = ContentID(
                level: UInt8(truncatingIfNeeded: integer(column + 1)), digest: try digest(column + 3))
            return .file(Content(id: id, size: unsigned(column + 4)))
        }
    }

    func kind(_ column: Int32) throws -> EntryKind {
        guard let kind = EntryKind(rawValue: UInt8(truncatingIfNeeded: integer(column))) else {
            throw malformed(column)
        }
        return kind
    }

    /// Reads a fingerprint from the columns from `column` on.
    func fingerprint(_ column: Int32) -> Fingerprint {
        Fingerprint(
            device: unsigned(column), inode: unsigned(column + 1), size: unsigned(column + 2),
            modified: integer(column + 3), changed: integer(column + 4), born: integer(column + 5),
            mode: UInt32(truncatingIfNeeded: integer(column + 6)))
    }

    /// Whether the fingerprint at `column` was taken too soon after a write to be trusted.
    func isRacy(_ column: Int32) -> Bool { boolean(column + 7) }
}
