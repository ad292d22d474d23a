import Model

/// Finds what changed in the linked folder since it was last seen, and notes it in the local overlay.
///
/// It lists folders and looks at entries, but reads no file: a file that is new, or whose size, times, inode or mode
/// are not those that were noted, becomes unread, and ``ContentReader`` reads it. A file keeps its node as long as it
/// keeps its place, whatever programs put there, since they save by renaming a new file over the old. What left its
/// place is known by its inode where it turns up. A folder goes by its inode first, so a renamed folder is one move.
///
/// A scan never follows a symbolic link, and takes nothing for removed that it could not look at.
struct Scanner {
    private let folder: LinkedFolder
    private let database: ClientDatabase
    private let link: LinkRecord
    private let clock: any WallClock

    /// Makes a scanner of a linked folder that has been opened.
    init(folder: LinkedFolder, link: LinkRecord, database: ClientDatabase, clock: any WallClock) {
        self.folder = folder
        self.link = link
        self.database = database
        self.clock = clock
    }

    /// Scans, and notes what changed.
    ///
    /// Removals are noted at the end, so that what was moved meanwhile within the scope is a move. Takes O(entries in
    /// the scope); the memory is that of the changes in one folder and of the largest folder's names.
    /// - Parameters:
    ///   - scope: Where to look.
    ///   - generator: The source of ids for what is new.
    /// - Returns: What was seen.
    /// - Throws: ``ClientError`` when the state can't be read or written. What is wrong with a folder is in the report.
    func scan(_ scope: ScanScope, using generator: any RandomNumberGenerator) throws -> ScanReport {
        try adoptDeviceNumber()
        let pass = ScanPass(folder: folder, link: link, database: database, clock: clock, generator: generator)
        switch scope {
        case .full: pass.enterRoot(recursive: true)
        case .folders(let paths): for path in paths.sorted(by: Self.isBefore) { try pass.enter(path) }
        }
        try pass.run()
        return pass.report
    }

    /// Devices are numbered anew when the machine starts. What was noted of the folder's own device then goes by
    /// the new number, so that another number still means another device: one that was mounted within the folder.
    private func adoptDeviceNumber() throws {
        let (old, new) = (link.identity.device, folder.fingerprint.device)
        if old != new { try database.write { try LinkQueries($0).renumber(link.id, from: old, to: new) } }
    }

    private static func isBefore(_ left: LocalPath, _ right: LocalPath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
