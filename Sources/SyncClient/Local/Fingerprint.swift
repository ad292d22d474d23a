import CLinux
import Model

/// What `statx` says of an entry: enough to tell, without reading, whether it is what was seen before.
struct Fingerprint: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    var size: UInt64
    /// Nanoseconds since 1970, as are the other two.
    var modified: Int64
    var changed: Int64
    /// 0 where the file system does not record births.
    var born: Int64
    /// Type and permission bits.
    var mode: UInt32
    /// The number of names that the file has. No part of what is compared: another name changes no byte.
    var links: UInt32
    /// The owner; likewise no part of what is compared.
    var owner: UInt32

    init(_ status: cairn_stat) {
        device = status.device
        inode = status.inode
        size = status.size
        modified = status.mtime_ns
        changed = status.ctime_ns
        born = status.btime_ns
        mode = status.mode
        links = status.links
        owner = status.uid
    }

    init(
        device: UInt64, inode: UInt64, size: UInt64, modified: Int64, changed: Int64, born: Int64, mode: UInt32,
        links: UInt32 = 1, owner: UInt32 = 0
    ) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
        self.born = born
        self.mode = mode
        self.links = links
        self.owner = owner
    }

    /// What kind of entry it is; nil for sockets, pipes and devices.
    var kind: EntryKind? { EntryKind(mode: mode) }

    /// The permission bits alone.
    var permissions: UInt16 { UInt16(truncatingIfNeeded: mode & 0o7777) }

    /// Whether nothing can have been written between the two looks (but for what ``isRacy(readAt:)`` is about).
    ///
    /// The device is left out: its number is given out anew at every start of the machine.
    func isSameVersion(as other: Fingerprint) -> Bool {
        inode == other.inode && size == other.size && modified == other.modified && changed == other.changed
            && mode == other.mode
    }

    /// Whether this can be what `other` saw before the entry was moved: a move changes the one time and nothing else.
    func isSameVersionMoved(as other: Fingerprint) -> Bool {
        var moved = other
        moved.changed = changed
        return isSameVersion(as: moved)
    }

    /// Whether the two are one file or folder, under whatever name and with whatever bytes.
    ///
    /// Inode numbers are used again. Where births are recorded they settle it; elsewhere a file must also
    /// have kept its size and time, which a rename does not change.
    func isSameInode(as other: Fingerprint) -> Bool {
        guard inode == other.inode, kind == other.kind else { return false }
        if born != 0 || other.born != 0 { return born == other.born }
        return device == other.device && (kind == .folder || (size == other.size && modified == other.modified))
    }

    /// Whether the bytes may be written, after they were read at `moment`, without a trace in the fingerprint:
    /// the times of a file only move on with the kernel's tick, so a write in the tick of the last one shows no new
    /// time.
    ///
    /// A write sets both times to the present, so a file whose modification time lies further back (one that was
    /// given the time of another device, say) can't be written without the time moving.
    func isRacy(readAt moment: Timestamp) -> Bool {
        let tick = changed % 1_000_000_000 == 0 ? Self.coarseTick : Self.tick
        return changed >= moment.nanoseconds - tick && modified >= moment.nanoseconds - tick
            && modified <= moment.nanoseconds + tick
    }

    /// The slowest timer of Linux ticks every 10 ms.
    private static let tick: Int64 = 10_000_000
    /// Whole seconds only: FAT counts in steps of two, some network file systems in steps of one.
    private static let coarseTick: Int64 = 2_000_000_000
}

/// What the client knows how to keep.
enum EntryKind: UInt8, Hashable, Sendable {
    case folder = 0
    case file = 1
    case symlink = 2

    /// The kind of an entry by its mode; nil for sockets, pipes and devices.
    init?(mode: UInt32) {
        switch mode & UInt32(S_IFMT) {
        case UInt32(S_IFDIR): self = .folder
        case UInt32(S_IFREG): self = .file
        case UInt32(S_IFLNK): self = .symlink
        default: return nil
        }
    }

    /// The kind of a payload.
    init(_ payload: NodePayload) {
        self =
            switch payload {
            case .folder: .folder
            case .file: .file
            case .symlink: .symlink
            }
    }
}
