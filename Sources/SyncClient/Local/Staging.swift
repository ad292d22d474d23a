import CLinux
import Glibc
import Model

/// The staging areas of one linked folder.
final class Staging {
    private let folder: LinkedFolder
    private let link: LinkRecord
    private let database: ClientDatabase
    private let mount: Mount
    private var top: StagingArea?
    private var last: (folder: OpenFile, isOnMain: Bool)?

    init(folder: LinkedFolder, link: LinkRecord, database: ClientDatabase) throws {
        self.folder = folder
        self.link = link
        self.database = database
        mount = try Mount(folder.handle)
    }

    private struct Mount: Hashable {
        let device: UInt64
        let number: UInt64

        init(_ handle: OpenFile) throws {
            var status = cairn_stat()
            guard cairn_statat(handle.descriptor, "", &status) == 0 else { throw handle.failure("look at") }
            device = status.device
            number = status.mount
        }
    }

    /// The area at the top of the linked folder, made when it is first needed.
    func main() throws -> StagingArea {
        if let top { return top }
        let area = try openTop(making: true)
        guard let area else { throw ClientError(.notFound, "the staging folder of '\(folder.handle.path)' is gone") }
        top = area
        return area
    }

    /// The area from where a rename reaches a folder.
    func area(for target: OpenFile) throws -> StagingArea {
        if try isOnMainMount(target) { return try main() }
        let path = target.path.relative(to: folder.handle.path)
        // Noted first, so that what a killed run leaves there is found again.
        try database.writeDurably { try StagingQueries($0, link: link.id).add(path) }
        return StagingArea(folder: target, prefix: LinkedFolder.reservedPrefix + [UInt8(ascii: "-")])
    }

    /// The area that an entry lies in.
    func area(holding name: StagedName) throws -> StagingArea? {
        try existing().first { try $0.status(name) != nil }
    }

    /// The areas that exist, without making any.
    func existing() throws -> [StagingArea] {
        var areas: [StagingArea] = []
        if let top = try openTop(making: false) { areas.append(top) }
        for path in try database.read({ try StagingQueries($0, link: link.id).all() }) {
            guard let target = try? folder.handle.folder(at: path) else { continue }
            areas.append(StagingArea(folder: target, prefix: LinkedFolder.reservedPrefix + [UInt8(ascii: "-")]))
        }
        return areas
    }

    /// Whether a folder is on the mount of the linked folder.
    ///
    /// An open folder stays on its mount, so the answer about the last one is kept: files mostly come folder by folder.
    func isOnMainMount(_ target: OpenFile) throws -> Bool {
        if let last, last.folder === target { return last.isOnMain }
        let isOnMain = try Mount(target) == mount
        last = (target, isOnMain)
        return isOnMain
    }

    /// Removes what is half built, and the staging folder when nothing else is in it, so that no trace is left.
    func clear() throws {
        for area in try existing() {
            for name in try area.entries() {
                if case .built = name { try area.remove(name) }
            }
        }
        top = nil
        do {
            try folder.handle.removeFolder(LinkedFolder.reservedPrefix)
        } catch let error as ClientError where error.code == .notFound || error.code == .folderNotEmpty {}
        try database.write { try StagingQueries($0, link: link.id).removeAll() }
    }

    private func openTop(making: Bool) throws -> StagingArea? {
        let name = LinkedFolder.reservedPrefix
        do {
            return StagingArea(folder: try folder.handle.open(name, O_RDONLY | O_DIRECTORY), prefix: [])
        } catch let error as ClientError where error.code == .notFound {
            guard making else { return nil }
            try folder.handle.makeFolder(name, permissions: 0o700)
            return StagingArea(folder: try folder.handle.open(name, O_RDONLY | O_DIRECTORY), prefix: [])
        }
    }
}
