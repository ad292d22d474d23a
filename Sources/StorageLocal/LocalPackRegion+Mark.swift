import Glibc
public import Model
import Storage

/// The mark of a region: a file that says which region it is, so that an empty directory where its disk should be
/// mounted is never taken for it.
extension LocalPackRegion {
    private static let title = "cairn-region 1"

    /// The region whose mark a directory bears; nil when it bears none.
    /// - Throws: ``StorageError`` `corrupt` for a file that is no mark, and what the system says.
    public static func mark(of directory: String) throws -> RegionID? {
        try LocalPackRegion(directory: directory).readMark()
    }

    /// Gives a directory a mark, durably; it is made when it is missing.
    public static func mark(_ directory: String, as id: RegionID) throws {
        let region = LocalPackRegion(directory: directory)
        try region.makeFolders()
        let path = region.folder.mark
        try region.explaining(path) { () throws(SystemCallFailure) in
            try region.replace("\(path).new", with: Array("\(title) \(id.hex)\n".utf8))
            try region.calls.rename("\(path).new", path)
            try region.syncFolder(around: path)
        }
    }

    /// Whether a directory holds any pack.
    public static func holdsPacks(_ directory: String) throws -> Bool {
        let region = LocalPackRegion(directory: directory)
        return try region.explaining(region.folder.packs) { () throws(SystemCallFailure) in
            guard try region.folder.size(region.folder.packs) != nil else { return false }
            return try region.folder.list().isEmpty == false
        }
    }

    func readMark() throws(StorageError) -> RegionID? {
        let bytes = try explaining(folder.mark) { () throws(SystemCallFailure) -> [UInt8]? in
            guard let size = try folder.size(folder.mark) else { return nil }
            return try OpenFile(folder.mark, O_RDONLY, calls).read(0..<min(size, 1024))
        }
        guard let bytes else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix(Self.title + " "), text.hasSuffix("\n"),
            let id = RegionID(hex: String(text.dropFirst(Self.title.count + 1).dropLast()))
        else { throw StorageError(.corrupt, "\(folder.mark) is not the mark of a region") }
        return id
    }

    /// Makes sure that the directory is the region that it should be, before anything is written there.
    func ensureMark() throws(StorageError) {
        guard let identity else { return }
        let found = try readMark()
        guard found == identity else {
            let what = found.map { "it is region \($0)" } ?? "its mark is not there: is its disk mounted?"
            throw StorageError(.unavailable, "\(folder.directory) is not region \(identity)", cause: what)
        }
    }
}
