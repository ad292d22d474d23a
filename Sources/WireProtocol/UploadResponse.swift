public import Model

/// What became of an upload.
public enum UploadOutcome: WireMessage, Hashable {
    /// It is committed: the revision is the namespace's, the hash the commit's.
    case committed(revision: Revision, hash: CommitHash)
    /// It waits for these blocks, and for these pages (send the request again with them).
    case pending(missingBlocks: [BlockID], missingPages: [PageID])
    /// Nothing of it was applied: each refused change is named.
    case refused([Refusal])

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        switch self {
        case .committed(let revision, let hash):
            writer.byte(0)
            writer.number(revision.number)
            writer.digest(hash.digest)
        case .pending(let blocks, let pages):
            writer.byte(1)
            WireBlocks.write(blocks, to: &writer)
            WireBlocks.write(pages, to: &writer)
        case .refused(let refusals):
            writer.byte(2)
            writer.list(refusals, Self.write)
        }
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte("outcome") {
        case 0:
            self = .committed(
                revision: Revision(try reader.number("revision")), hash: CommitHash(try reader.digest("hash")))
        case 1:
            // A recipe may name far more blocks than one batch holds.
            let blocks: [BlockID] = try WireBlocks.readNames("missing blocks", atMost: 1 << 20, &reader)
            let pages: [PageID] = try WireBlocks.readNames("missing pages", atMost: 1 << 20, &reader)
            self = .pending(missingBlocks: blocks, missingPages: pages)
        case 2:
            self = .refused(try reader.list("refusals", atMost: WireLimits.maximumChanges, Self.readRefusal))
        case let other:
            throw WireError(.malformed, "outcome: \(other)")
        }
    }

    private static func write(_ writer: inout WireWriter, _ refusal: Refusal) {
        writer.record { writer in
            writer.identifier(refusal.node)
            switch refusal.reason {
            case .stale(let current):
                writer.byte(0)
                writer.number(current?.revision.number ?? 0)
                if let current { WireNodes.write(current.state, inline: [:], to: &writer) }
            case .nameTaken(let other):
                writer.byte(1)
                writer.identifier(other)
            case .parentMissing: writer.byte(2)
            case .folderNotEmpty: writer.byte(3)
            case .cycle: writer.byte(4)
            case .kindChanged: writer.byte(5)
            }
        }
    }

    private static func readRefusal(_ reader: inout WireReader) throws(WireError) -> Refusal {
        try reader.record("refusal") { reader throws(WireError) in
            let node: NodeID = try reader.identifier("refusal.node")
            let reason: RefusalReason
            switch try reader.byte("refusal.reason") {
            case 0:
                let revision = Revision(try reader.number("refusal.revision"))
                let state = revision == .zero ? nil : try WireNodes.readState(&reader, inline: [])
                reason = .stale(current: state.map { NodeRecord(node: node, revision: revision, state: $0) })
            case 1: reason = .nameTaken(by: try reader.identifier("refusal.by"))
            case 2: reason = .parentMissing
            case 3: reason = .folderNotEmpty
            case 4: reason = .cycle
            case 5: reason = .kindChanged
            case let other: throw WireError(.malformed, "refusal.reason: \(other)")
            }
            return Refusal(node: node, reason: reason)
        }
    }
}
