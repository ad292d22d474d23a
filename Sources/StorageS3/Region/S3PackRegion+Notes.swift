public import Model
import Storage

extension S3PackRegion {
    private static let largestNote = 64 << 20
    private static let title = "cairn-region 1"

    /// The bytes kept under a name.
    public func loadNote(_ name: String) async throws -> [UInt8]? { try await load(keys.note(name)) }

    /// Keeps bytes under a name, in place of the former ones.
    public func storeNote(_ bytes: [UInt8], _ name: String) async throws {
        _ = try await call("storing note \(name)") { client throws(S3Failure) in
            try await client.put(keys.note(name), bytes)
        }
    }

    private func load(_ key: String) async throws(StorageError) -> [UInt8]? {
        do throws(StorageError) {
            return try await call("reading \(key)") { client throws(S3Failure) in
                try await client.get(key, limit: Self.largestNote).bytes
            }
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// The region whose mark the bucket bears; nil when it bears none.
    /// - Throws: ``StorageError`` `corrupt` for an object that is no mark.
    public func mark() async throws -> RegionID? {
        guard let bytes = try await load(keys.mark) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix(Self.title + " "), text.hasSuffix("\n"),
            let id = RegionID(hex: String(text.dropFirst(Self.title.count + 1).dropLast()))
        else { throw StorageError(.corrupt, "region \(name): \(keys.mark) is not the mark of a region") }
        return id
    }

    /// Gives the bucket a mark, unless it bears one; so two that do so at once agree.
    /// - Returns: The region that it is now.
    public func mark(as id: RegionID) async throws -> RegionID {
        let isNew = try await call("marking it") { client throws(S3Failure) in
            do throws(S3Failure) {
                try await client.put(
                    keys.mark, Array("\(Self.title) \(id.hex)\n".utf8), S3PutOptions(condition: .isAbsent))
                return true
            } catch {
                if error.isPreconditionFailed { return false }
                throw error
            }
        }
        if isNew { return id }
        guard let found = try await mark() else {
            throw StorageError(.unavailable, "region \(name): its mark was removed just now")
        }
        return found
    }

    // MARK: What regions lack

    /// Keeps a note about a pack of some region. It says all by its key, so writing it twice is harmless.
    func keep(_ note: RepairNote) async throws(StorageError) {
        let text = "\(note.task.rawValue) pack \(note.pack) in region \(note.region)\n"
        _ = try await call("noting what region \(note.region) lacks") { client throws(S3Failure) in
            try await client.put(keys.repair(note), Array(text.utf8))
        }
    }

    /// Takes notes off.
    func strike(_ notes: [RepairNote]) async throws(StorageError) {
        for start in stride(from: 0, to: notes.count, by: 1000) {
            let part = notes[start..<min(start + 1000, notes.count)].map { keys.repair($0) }
            try await call("taking notes off") { client throws(S3Failure) in
                if part.count == 1 { return try await client.delete(part[0]) }
                if let left = try await client.delete(part).first { throw left.value }
            }
        }
    }

    /// Whether there is a note.
    func has(_ note: RepairNote) async throws(StorageError) -> Bool {
        do throws(StorageError) {
            _ = try await call("looking for a note") { client throws(S3Failure) in
                try await client.head(keys.repair(note))
            }
            return true
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
    }

    /// All notes of a kind. O(notes).
    func notes(_ task: RepairNote.Task) async throws(StorageError) -> [RepairNote] {
        try await call("listing what regions lack") { client throws(S3Failure) in
            var notes: [RepairNote] = []
            try await client.list(prefix: keys.repairs(task)) { objects throws(S3Failure) in
                notes += objects.compactMap { keys.repair(ofKey: $0.key, task) }
            }
            return notes
        }
    }

    /// Gives up the uploads in parts that were begun before a second since 1970.
    /// - Returns: How many.
    func abortUploads(before second: Int64) async throws(StorageError) -> Int {
        try await call("giving up unfinished uploads") { client throws(S3Failure) in
            let stale = try await client.uploads(prefix: keys.packs).filter { $0.begun.map { $0 < second } ?? false }
            for upload in stale { try await client.abort(upload) }
            return stale.count
        }
    }
}
