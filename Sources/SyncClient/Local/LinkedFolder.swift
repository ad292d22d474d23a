import Glibc
import Model

/// The folder of a link, open: all that the client does on disk starts here.
struct LinkedFolder: Sendable {
    /// Names that are the client's own, anywhere in the tree: they are never synced.
    static let reservedPrefix = Array(".cairn-staging".utf8)

    let link: LinkID
    let handle: OpenFile
    let fingerprint: Fingerprint

    /// Opens the folder of a link and makes sure that it is the one that was linked. An empty mount point is not
    /// a folder in which everything was removed.
    /// - Throws: ``ClientError`` with `folderReplaced` when another folder, or none, is at its place.
    init(_ link: LinkRecord) throws {
        self.link = link.id
        do {
            handle = try .folder(absolute: link.folder)
        } catch let error as ClientError where error.code == .notFound || error.code == .notFolder {
            throw ClientError(
                .folderReplaced, "the linked folder '\(link.folder)' is gone: it was moved, removed or unmounted",
                errno: error.errno)
        }
        fingerprint = try handle.status()
        guard FolderIdentity(fingerprint).isSame(as: link.identity) else {
            throw ClientError(
                .folderReplaced,
                "'\(link.folder)' is not the folder that was linked: nothing is synced until it is back, or linked anew"
            )
        }
    }

    /// Opens a folder that is to be linked, and says how it will be known again.
    static func identity(of folder: LocalPath) throws -> FolderIdentity {
        FolderIdentity(try OpenFile.folder(absolute: folder).status())
    }

    static func isReserved(_ name: some Collection<UInt8>) -> Bool { name.starts(with: reservedPrefix) }
}
