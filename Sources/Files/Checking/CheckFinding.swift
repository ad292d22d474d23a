public import Model

/// One thing that a check found.
public struct CheckFinding: Hashable, Sendable {
    /// What kind of thing it is; the raw values are stable, for scripts.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The database file itself is damaged.
        case database
        /// The journal of a namespace is not bound by its hashes, or does not fit the tree or the head.
        case journal
        /// The rows of a tree do not fit each other.
        case tree
        /// The key of an account can't be had.
        case key
        /// A version of a file can't be read.
        case file
        /// A record is damaged in one region, while another has it.
        case record
        /// A block can't be read from any region.
        case block
        /// A region lacks a pack, or the end of it, while another has it.
        case pack
        /// Rows name a pack that no region has.
        case lostPack = "lost-pack"
        /// A region can't be read.
        case region
        /// A pack was not sealed yet: the next start of the server sees to it.
        case unsealedPack = "unsealed-pack"
        /// A block that no kept version of a file names.
        case orphanBlock = "orphan-block"
        /// A page that no kept version of a file names.
        case orphanPage = "orphan-page"
        /// Bytes of a pack that no row names.
        case unnamedBytes = "unnamed-bytes"
        /// A pack that no row names.
        case unnamedPack = "unnamed-pack"
        /// Something could not be looked at, and why.
        case unchecked
    }

    /// What it means.
    public enum Weight: String, Hashable, Sendable {
        /// It is damage that is left.
        case damage
        /// It was damage, and is mended.
        case repaired
        /// It was not possible to look.
        case unchecked
        /// It is worth knowing, and does no harm.
        case note
    }

    /// What kind of thing it is.
    public let kind: Kind
    /// What it means.
    public let weight: Weight
    /// What was found, in words.
    public let message: String
    /// Whose it is.
    public var account: AccountID?
    /// In which tree.
    public var namespace: NamespaceID?
    /// The node.
    public var node: NodeID?
    /// The path of the node at the revision, as its names are.
    public var path: String?
    /// From which revision on.
    public var revision: Revision?
    /// The revision that ended it; nil at the head.
    public var end: Revision?
    /// The block.
    public var block: BlockID?
    /// The pack.
    public var pack: PackID?
    /// Where in the pack.
    public var offset: UInt64?
    /// How many bytes are concerned.
    public var bytes: UInt64?
    /// The region, by its name.
    public var region: String?

    /// Makes a finding; the rest is filled in by who knows it.
    public init(_ kind: Kind, _ weight: Weight, _ message: String) {
        self.kind = kind
        self.weight = weight
        self.message = message
    }
}

/// What a check came to.
public struct CheckSummary: Hashable, Sendable {
    /// How many findings there were, by kind and weight.
    public private(set) var findings: [CheckFinding.Kind: [CheckFinding.Weight: Int]] = [:]
    /// Bytes of the findings that are only worth knowing, by kind.
    public private(set) var bytes: [CheckFinding.Kind: UInt64] = [:]
    /// Versions of files that were looked at.
    public internal(set) var files: UInt64 = 0
    /// Pages that were verified, each once.
    public internal(set) var pages: UInt64 = 0
    /// Rows of blocks that were looked at, each once.
    public internal(set) var blocks: UInt64 = 0
    /// Packs that were looked at.
    public internal(set) var packs: UInt64 = 0
    /// Bytes of records that were read and verified, over all regions.
    public internal(set) var verifiedBytes: UInt64 = 0

    /// Makes a summary of nothing.
    public init() {}

    /// How many findings have a weight.
    public func total(_ weight: CheckFinding.Weight) -> Int {
        findings.values.reduce(0) { $0 + ($1[weight] ?? 0) }
    }

    /// How many findings are of a kind.
    public func count(_ kind: CheckFinding.Kind) -> Int {
        findings[kind]?.values.reduce(0, +) ?? 0
    }

    /// Counts a finding.
    public mutating func add(_ finding: CheckFinding) {
        findings[finding.kind, default: [:]][finding.weight, default: 0] += 1
        bytes[finding.kind, default: 0] += finding.bytes ?? 0
    }
}
