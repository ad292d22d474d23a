import CLinux
import Glibc
import Model
import Storage

/// Where the files of a region lie below its directory:
/// `packs/<first byte>/<id>.open` while a pack grows, `….pack` once it is sealed; `notes/<name>`; `region`, the mark; `lock`; `probe`.
struct PackFolder: Sendable {
    let directory: String

    var mark: String { "\(directory)/region" }
    var lock: String { "\(directory)/lock" }
    var probe: String { "\(directory)/probe" }
    var packs: String { "\(directory)/packs" }
    var notes: String { "\(directory)/notes" }

    /// The sub-folder of a pack: 256 of them, so that none grows large.
    func folder(of pack: PackID) -> String { "\(packs)/\(pack.hex.prefix(2))" }

    /// The file of a pack that grows.
    func unsealed(_ pack: PackID) -> String { "\(folder(of: pack))/\(pack.hex).open" }

    /// The file of a pack that is complete.
    func sealed(_ pack: PackID) -> String { "\(folder(of: pack))/\(pack.hex).pack" }

    /// The size of a file; nil when there is none.
    func size(_ path: String) throws(SystemCallFailure) -> UInt64? {
        var status = cairn_stat()
        if cairn_statat(AT_FDCWD, path, &status) == 0 { return status.size }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw SystemCallFailure("statx", errno: errno)
    }

    /// What there is of a pack.
    func find(_ pack: PackID) throws(SystemCallFailure) -> PackSummary? {
        // The pack may be sealed between the two looks; then the third finds it.
        for (path, isSealed) in [(sealed(pack), true), (unsealed(pack), false), (sealed(pack), true)] {
            if let size = try size(path) { return PackSummary(pack: pack, size: size, isSealed: isSealed) }
        }
        return nil
    }

    /// All packs. Files with other names are left alone.
    func list() throws(SystemCallFailure) -> [PackSummary] {
        var found: [PackSummary] = []
        for folder in try entries(of: packs) where folder.utf8.count == 2 {
            for name in try entries(of: "\(packs)/\(folder)") {
                guard let pack = PackID(hex: String(name.prefix(32))) else { continue }
                let suffix = name.dropFirst(32)
                guard suffix == ".pack" || suffix == ".open", self.folder(of: pack) == "\(packs)/\(folder)",
                    let size = try size("\(packs)/\(folder)/\(name)")
                else { continue }
                found.append(PackSummary(pack: pack, size: size, isSealed: suffix == ".pack"))
            }
        }
        return found
    }

    private func entries(of path: String) throws(SystemCallFailure) -> [String] {
        guard let stream = opendir(path) else { throw SystemCallFailure("opendir", errno: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
            errno = 0
        }
        if errno != 0 { throw SystemCallFailure("readdir", errno: errno) }
        return names
    }
}
