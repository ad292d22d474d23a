import Model
import SyncPlanning

/// What the scanner, or a step of the applier, last saw of a node on disk.
struct LocalRecord: Hashable, Sendable {
    /// How much is known of the entry.
    enum Condition: Hashable, Sendable {
        /// It is there, with this state; the bytes of a file have been read.
        case present(NodeState)
        /// A file is there, but its bytes have not been read since they may have changed.
        case unread(Placement)
        /// It is gone. The fingerprint is the last that was seen, by which it is known again should it turn up.
        case removed
        /// It lies in the parking area of the staging folder.
        case parked(NodeState)
    }

    var node: NodeID
    var condition: Condition
    var fingerprint: Fingerprint
    /// Whether the fingerprint was taken too soon after a write to be trusted: the next scan reads again.
    var isRacy = false

    /// Where the entry is in the tree; nil when it is not there.
    var placement: Placement? {
        switch condition {
        case .present(let state): state.placement
        case .unread(let placement): placement
        case .removed, .parked: nil
        }
    }

    /// The state on disk, where all of it is known.
    var state: NodeState? {
        switch condition {
        case .present(let state), .parked(let state): state
        case .unread, .removed: nil
        }
    }
}

extension LocalRecord {
    /// How the conditions are told apart in the table.
    enum Tag: Int64 {
        case present = 0
        case unread = 1
        case removed = 2
        case parked = 3
    }

    /// What a node of the synced tree is on disk as long as no row says otherwise.
    init(_ synced: SyncedRecord) {
        self.init(
            node: synced.node, condition: .present(synced.state), fingerprint: synced.fingerprint,
            isRacy: synced.isRacy)
    }

    /// Reads `node, condition, state …, fingerprint …` from column 0 on.
    init(_ row: PreparedQuery) throws {
        guard let tag = Tag(rawValue: row.integer(1)) else { throw row.malformed(1) }
        let condition: Condition =
            switch tag {
            case .present: .present(try row.state(2))
            case .parked: .parked(try row.state(2))
            case .unread: .unread(Placement(parent: try row.identifier(2), name: try row.name(3)))
            case .removed: .removed
            }
        let column = 2 + NodeColumns.stateCount
        self.init(
            node: try row.identifier(0), condition: condition, fingerprint: row.fingerprint(column),
            isRacy: row.isRacy(column))
    }
}

extension PreparedQuery {
    /// Binds how much is known of an entry to the parameter at `index`, and its state to the ten behind it.
    func bind(_ index: Int32, condition: LocalRecord.Condition) {
        for offset in 1...NodeColumns.stateCount { bindNull(index + offset) }
        let tag: LocalRecord.Tag
        switch condition {
        case .present(let state):
            tag = .present
            bind(index + 1, state: state)
        case .parked(let state):
            tag = .parked
            bind(index + 1, state: state)
        case .unread(let placement):
            tag = .unread
            bindPlace(index + 1, parent: placement.parent, name: placement.name, kind: .file)
        case .removed: tag = .removed
        }
        bind(index, tag.rawValue)
    }
}
