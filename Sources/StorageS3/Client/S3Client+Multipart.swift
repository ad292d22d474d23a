/// An upload in parts that was begun and neither completed nor given up.
public struct S3Upload: Hashable, Sendable {
    /// The key of the object that it is to become.
    public let key: String
    /// Its name.
    public let id: String
    /// When it was begun, in seconds since 1970; nil when the server does not say.
    public let begun: Int64?
}

extension S3Client {
    /// Stores an object in parts, some of them at a time. Until the last request there is no object of this key, and on a
    /// failure the parts are given up.
    ///
    /// The condition is checked before, and goes with the last request too. Servers that do not heed it there (Ceph 16 does
    /// not) store over an object that came about since: only keys that nobody else stores other bytes under are safe there,
    /// such as those of packs, whose 128 bits are drawn at random.
    /// - Parameters:
    ///   - key: The key.
    ///   - bytes: All of it; not empty.
    ///   - options: How it is stored.
    ///   - partSize: The size of all parts but the last; at least 5 MiB by the protocol.
    ///   - parallel: How many parts are sent at a time.
    /// - Throws: ``S3Failure``.
    public func putInParts(
        _ key: String, _ bytes: [UInt8], _ options: S3PutOptions = S3PutOptions(), partSize: Int = 8 << 20,
        parallel: Int = 4
    ) async throws(S3Failure) {
        try await check(options.condition, of: key)
        let upload = try await beginUpload(key, options)
        do throws(S3Failure) {
            let tags = try await sendParts(of: bytes, to: upload, partSize: partSize, parallel: parallel)
            try await complete(upload, tags, options.condition)
        } catch {
            // What this misses is found by age later on.
            try? await abort(upload)
            throw error
        }
    }

    private func check(_ condition: S3Condition, of key: String) async throws(S3Failure) {
        let found: S3ObjectInfo?
        switch condition {
        case .none: return
        case .isAbsent, .matches:
            do throws(S3Failure) { found = try await head(key) } catch {
                guard error.isNotFound else { throw error }
                found = nil
            }
        }
        let holds = if case .matches(let etag) = condition { found?.etag == etag } else { found == nil }
        if !holds { throw S3Failure(.answered(status: 412), code: "PreconditionFailed", "\(key) has changed") }
    }

    /// Begins an upload in parts.
    public func beginUpload(
        _ key: String, _ options: S3PutOptions = S3PutOptions()
    ) async throws(S3Failure) -> S3Upload {
        let request = S3Request(
            method: "POST", key: key, query: [(name: "uploads", value: "")], headers: options.headers)
        let root = try Self.document(try await send(request), "InitiateMultipartUploadResult")
        guard let id = root.text("UploadId"), !id.isEmpty else {
            throw S3Failure(.malformed, "an upload without a name")
        }
        return S3Upload(key: key, id: id, begun: nil)
    }

    /// Sends one part, numbered from 1.
    /// - Returns: Its ETag.
    public func send(part number: Int, _ bytes: [UInt8], of upload: S3Upload) async throws(S3Failure) -> String {
        let request = S3Request(
            method: "PUT", key: upload.key,
            query: [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload.id)], body: bytes)
        guard let tag = try await send(request).headers["etag"], !tag.isEmpty else {
            throw S3Failure(.malformed, "a part without an ETag")
        }
        return tag
    }

    private func sendParts(
        of bytes: [UInt8], to upload: S3Upload, partSize: Int, parallel: Int
    ) async throws(S3Failure) -> [String] {
        let starts = Array(stride(from: 0, to: bytes.count, by: partSize))
        let outcome = await withTaskGroup(
            of: (Int, Result<String, S3Failure>).self
        ) { group -> Result<[String], S3Failure> in
            var tags = [String](repeating: "", count: starts.count)
            for (place, start) in starts.enumerated() {
                if place >= parallel, let (done, result) = await group.next() {
                    guard case .success(let tag) = result else {
                        group.cancelAll()
                        return result.map { _ in [] }
                    }
                    tags[done] = tag
                }
                group.addTask {
                    do throws(S3Failure) {
                        let part = Array(bytes[start..<min(start + partSize, bytes.count)])
                        return (place, .success(try await send(part: place + 1, part, of: upload)))
                    } catch { return (place, .failure(error)) }
                }
            }
            while let (done, result) = await group.next() {
                guard case .success(let tag) = result else {
                    group.cancelAll()
                    return result.map { _ in [] }
                }
                tags[done] = tag
            }
            return .success(tags)
        }
        return try outcome.get()
    }

    /// Makes the object of its parts, when the condition holds, as far as the server heeds one.
    public func complete(
        _ upload: S3Upload, _ tags: [String], _ condition: S3Condition = .none
    ) async throws(S3Failure) {
        let parts = tags.enumerated().map { place, tag in
            "<Part><PartNumber>\(place + 1)</PartNumber><ETag>\(tag.escapedForXML)</ETag></Part>"
        }
        let body =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + parts.joined() + "</CompleteMultipartUpload>"
        var request = S3Request(
            method: "POST", key: upload.key, query: [(name: "uploadId", value: upload.id)],
            headers: condition.headers, body: Array(body.utf8))
        request.mayFailLate = true
        _ = try await send(request)
    }

    /// Gives an upload up with its parts. Giving up one that is not there succeeds.
    public func abort(_ upload: S3Upload) async throws(S3Failure) {
        let request = S3Request(
            method: "DELETE", key: upload.key, query: [(name: "uploadId", value: upload.id)])
        do {
            _ = try await send(request)
        } catch {
            if error.status != 404 { throw error }
        }
    }

    /// All uploads under way whose keys begin alike. O(uploads).
    public func uploads(prefix: String) async throws(S3Failure) -> [S3Upload] {
        var uploads: [S3Upload] = []
        var markers: [(name: String, value: String)]? = []
        while let after = markers {
            let request = S3Request(
                method: "GET", query: [(name: "uploads", value: ""), (name: "prefix", value: prefix)] + after)
            let root = try Self.document(try await send(request), "ListMultipartUploadsResult")
            uploads += root.all("Upload").compactMap { item in
                guard let key = item.text("Key"), let id = item.text("UploadId") else { return nil }
                return S3Upload(
                    key: key, id: id, begun: item.text("Initiated").flatMap { SigningTime.seconds(of: $0) })
            }
            markers = try Self.markers(of: root, after: after)
        }
        return uploads
    }

    /// What asks for the rest of a list of uploads; nil at its end.
    private static func markers(
        of root: XMLElement, after former: [(name: String, value: String)]
    ) throws(S3Failure) -> [(name: String, value: String)]? {
        guard root.text("IsTruncated") == "true" else { return nil }
        let names = [("key-marker", "NextKeyMarker"), ("upload-id-marker", "NextUploadIdMarker")]
        let markers = names.compactMap { name, element in
            root.text(element).flatMap { $0.isEmpty ? nil : (name: name, value: $0) }
        }
        // A server that names the same place again would be asked for ever.
        guard !markers.isEmpty, markers.map(\.value) != former.map(\.value) else {
            throw S3Failure(.malformed, "a list of uploads that goes on does not say how")
        }
        return markers
    }
}
