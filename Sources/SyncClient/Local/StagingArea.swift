import Glibc
import Model

/// What an entry of a staging area is. The name says it all, so that a new run knows what a killed one left.
enum StagedName: Hashable, Sendable {
    /// A file being built for a node, or built, of the content whose digest begins with these eight bytes.
    case built(NodeID, content: UInt64)
    /// A built file (with this inode) about to be swapped with the one in its place. Any other inode under this name is
    /// the file that was there: the swap has happened.
    case swapped(NodeID, inode: UInt64)
    /// A node that was moved out of the tree for a moment.
    case parked(NodeID)
    /// A file on its way out.
    case removed(NodeID)

    var node: NodeID {
        switch self {
        case .built(let node, _), .swapped(let node, _), .parked(let node), .removed(let node): node
        }
    }

    var text: String {
        switch self {
        case .built(let node, let content): "b-\(node.hex)-\(String(content, radix: 16))"
        case .swapped(let node, let inode): "s-\(node.hex)-\(String(inode, radix: 16))"
        case .parked(let node): "p-\(node.hex)"
        case .removed(let node): "r-\(node.hex)"
        }
    }

    /// Reads a name; nil for what the client never made.
    init?(_ bytes: some Collection<UInt8>) {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 2, let node = NodeID(hex: String(parts[1])) else { return nil }
        switch (parts[0], parts.count) {
        case ("b", 3):
            guard let content = UInt64(parts[2], radix: 16) else { return nil }
            self = .built(node, content: content)
        case ("s", 3):
            guard let inode = UInt64(parts[2], radix: 16) else { return nil }
            self = .swapped(node, inode: inode)
        case ("p", 2): self = .parked(node)
        case ("r", 2): self = .removed(node)
        default: return nil
        }
    }
}

/// A place on one mount where files are built and from where a rename brings them into the tree: the staging folder at
/// the top of the linked folder; or, for a folder on another mount, that folder itself, under reserved names.
struct StagingArea: Sendable {
    let folder: OpenFile
    /// What every name in the area begins with.
    let prefix: [UInt8]

    func bytes(_ name: StagedName) -> [UInt8] { prefix + Array(name.text.utf8) }

    /// What lies in the area. Names that the client never made are left alone.
    func entries() throws -> [StagedName] {
        let listing = try FolderListing(folder.reopened())
        return (0..<listing.count).compactMap { index in
            let name = listing[index]
            return name.starts(with: prefix) ? StagedName(name.dropFirst(prefix.count)) : nil
        }
    }

    func status(_ name: StagedName) throws -> Fingerprint? { try folder.status(of: bytes(name)) }

    func remove(_ name: StagedName) throws { try folder.removeFile(bytes(name)) }
}
