public import Model
import Storage

extension S3PackRegion {
    /// From this many bytes on a new pack is stored in parts.
    static let multipartSize = 16 << 20
    /// How often a pack is rewritten anew because somebody else did so too.
    private static let rewriteAttempts = 4
    /// Beside a pack lies the SHA-256 of what was stored, by which one's own attempt is told from another's object.
    private static let hashName = "cairn-sha256"

    /// Stores a whole new pack, durably. Repeating it is harmless.
    /// - Throws: ``StorageError``; `io` when there is another pack of this id, which can't be by chance.
    func store(_ pack: PackID, _ bytes: [UInt8]) async throws(StorageError) {
        let key = keys.pack(pack)
        let hash = RequestSigner.hash(of: bytes)
        let options = S3PutOptions(
            condition: .isAbsent, storageClass: storageClass, metadata: [Self.hashName: hash])
        let isStored = try await call("storing pack \(pack)") { client throws(S3Failure) in
            do throws(S3Failure) {
                if bytes.count < Self.multipartSize {
                    try await client.put(key, bytes, options)
                } else {
                    try await client.putInParts(key, bytes, options)
                }
                return true
            } catch {
                // An earlier attempt may have been carried out, and its answer lost.
                guard error.isPreconditionFailed || error.code == "NoSuchUpload" else { throw error }
                let info = try await client.head(key)
                return info.size == UInt64(bytes.count) && info.metadata[Self.hashName] == hash
            }
        }
        if !isStored { throw StorageError(.io, "region \(name) has another pack \(pack)") }
    }

    /// Changes a pack as a whole, unless somebody else has changed it meanwhile: then anew.
    /// - Parameters:
    ///   - pack: The pack.
    ///   - change: Takes the bytes that are there and answers those that are to be; nil to leave it.
    /// - Throws: ``StorageError``; and what `change` throws.
    func rewrite(
        _ pack: PackID, _ change: ([UInt8]) throws(StorageError) -> [UInt8]?
    ) async throws(StorageError) {
        for _ in 0..<Self.rewriteAttempts {
            let (former, etag) = try await call("reading pack \(pack)") { client throws(S3Failure) in
                try await client.get(keys.pack(pack), limit: SealedPack.maximumSize + (1 << 20))
            }
            guard let bytes = try change(former) else { return }
            let hash = RequestSigner.hash(of: bytes)
            let options = S3PutOptions(
                condition: .matches(etag), storageClass: storageClass, metadata: [Self.hashName: hash])
            let isDone = try await call("rewriting pack \(pack)") { client throws(S3Failure) in
                do throws(S3Failure) {
                    try await client.put(keys.pack(pack), bytes, options)
                    return true
                } catch {
                    guard error.isPreconditionFailed else { throw error }
                    return try await client.head(keys.pack(pack)).metadata[Self.hashName] == hash
                }
            }
            if isDone { return }
        }
        throw StorageError(.unavailable, "region \(name): pack \(pack) is being changed by others")
    }

    /// Fails with `readOnly`: an object is whole when it comes about.
    public func create(_ pack: PackID) async throws {
        throw StorageError(.readOnly, "region \(name): packs of a bucket are stored whole and do not grow")
    }

    /// Replaces bytes of a pack by rewriting the whole object.
    public func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws {
        try await rewrite(pack) { former throws(StorageError) in
            let start = Int(offset)
            var changed = former
            if changed.count < start + bytes.count {
                changed += [UInt8](repeating: 0, count: start + bytes.count - changed.count)
            }
            changed.replaceSubrange(start..<start + bytes.count, with: bytes)
            return changed == former ? nil : changed
        }
    }

    /// Cuts a pack by rewriting the whole object.
    public func truncate(_ pack: PackID, to size: UInt64) async throws {
        try await rewrite(pack) { former throws(StorageError) in
            UInt64(former.count) > size ? Array(former.prefix(Int(size))) : nil
        }
    }

    /// Cuts a pack; every pack here is sealed already.
    public func seal(_ pack: PackID, at size: UInt64) async throws {
        guard let summary = try await find(pack) else {
            throw StorageError(.notFound, "region \(name) has no pack \(pack)")
        }
        if summary.size < size {
            throw StorageError(.corrupt, "region \(name): pack \(pack) has \(summary.size) of \(size) bytes")
        }
        if summary.size > size { try await truncate(pack, to: size) }
    }

    /// Removes a pack.
    public func delete(_ pack: PackID) async throws {
        try await call("removing pack \(pack)") { client throws(S3Failure) in
            try await client.delete(keys.pack(pack))
        }
    }
}
