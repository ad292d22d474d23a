import Glibc
import Storage

extension LocalPackRegion {
    /// The bytes of a note.
    public func loadNote(_ name: String) async throws -> [UInt8]? {
        try await reading.run {
            try self.ensureOpen()
            let path = "\(self.folder.notes)/\(name)"
            return try self.explaining(path) { () throws(SystemCallFailure) -> [UInt8]? in
                guard let size = try self.folder.size(path) else { return nil }
                let file = try OpenFile(path, O_RDONLY, self.calls)
                return try file.read(0..<size)
            }
        }
    }

    /// Writes a note beside its place and renames it in: it is the old one or the new one, never a mixture.
    public func storeNote(_ bytes: [UInt8], _ name: String) async throws {
        try await writing.run {
            try self.ensureOpen()
            let path = "\(self.folder.notes)/\(name)"
            try self.explaining(path) { () throws(SystemCallFailure) in
                try self.replace("\(path).new", with: bytes)
                try self.calls.rename("\(path).new", path)
                try self.syncFolder(around: path)
            }
        }
    }

    /// Writes half a kilobyte to a file of its own and syncs it.
    public func check() async throws {
        try await writing.run {
            try self.ensureOpen()
            try self.ensurePresent()
            try self.explaining(self.folder.probe) { () throws(SystemCallFailure) in
                try self.replace(self.folder.probe, with: Array(repeating: 0x2E, count: 512))
            }
        }
    }

    func replace(_ path: String, with bytes: [UInt8]) throws(SystemCallFailure) {
        let file = try OpenFile(path, O_RDWR | O_CREAT | O_TRUNC, calls)
        try file.write(bytes, at: 0)
        try calls.sync(file.descriptor)
    }
}
