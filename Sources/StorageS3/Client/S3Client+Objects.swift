import Blocks

extension S3Client {
    /// Looks at an object.
    /// - Throws: ``S3Failure``; ``S3Failure/isNotFound`` when it is not there.
    public func head(_ key: String) async throws(S3Failure) -> S3ObjectInfo {
        try S3ObjectInfo(try await send(S3Request(method: "HEAD", key: key)))
    }

    /// Reads a whole object.
    /// - Parameters:
    ///   - key: Its key.
    ///   - limit: The most bytes that it may have.
    /// - Returns: The bytes, and the ETag of what was read.
    /// - Throws: ``S3Failure``.
    public func get(_ key: String, limit: Int) async throws(S3Failure) -> (bytes: [UInt8], etag: String) {
        let reply = try await send(S3Request(method: "GET", key: key, limit: limit, expected: min(limit, 64 << 20)))
        return (reply.body, reply.headers["etag"] ?? "")
    }

    /// Reads a range of an object, as far as there are bytes.
    /// - Parameters:
    ///   - key: Its key.
    ///   - range: What is wanted; not empty.
    /// - Returns: The bytes, and how long the server took to begin its answer.
    /// - Throws: ``S3Failure``.
    public func get(
        _ key: String, range: Range<UInt64>
    ) async throws(S3Failure) -> (bytes: [UInt8], latency: Duration) {
        precondition(!range.isEmpty, "an empty range can't be asked for")
        let header = (name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
        let request = S3Request(
            method: "GET", key: key, headers: [header], limit: max(range.count, 64 << 10), expected: range.count)
        let reply: HTTPReply
        do {
            reply = try await send(request)
        } catch {
            // The object ends before the range begins.
            if error.status == 416 { return ([], .zero) }
            throw error
        }
        // Without this, bytes from elsewhere would be taken for those that were asked for.
        guard reply.status == 206, reply.body.count <= range.count,
            reply.headers["content-range"]?.hasPrefix("bytes \(range.lowerBound)-") == true
        else { throw S3Failure(.malformed, "the answer is not the range that was asked for") }
        return (reply.body, reply.latency)
    }

    /// Stores an object in one request.
    /// - Returns: The ETag; empty when none was given.
    /// - Throws: ``S3Failure``; ``S3Failure/isPreconditionFailed`` when the condition did not hold, which may be because
    ///   an earlier attempt of the same call was carried out and its answer was lost.
    @discardableResult
    public func put(
        _ key: String, _ bytes: [UInt8], _ options: S3PutOptions = S3PutOptions()
    ) async throws(S3Failure) -> String {
        var request = S3Request(method: "PUT", key: key, headers: options.headers, body: bytes)
        if options.withMD5 { request.headers += Self.checksum(of: bytes) }
        let plain = request
        request.headers += options.condition.headers
        do {
            return try await send(request).headers["etag"] ?? ""
        } catch {
            // Ceph 16 compares an ETag without its quotes, unless it reads: then the object is still what it has to be.
            guard error.isPreconditionFailed, case .matches(let etag) = options.condition, let bare = Self.bare(etag),
                try await head(key).etag == etag
            else { throw error }
            request = plain
            request.headers += S3Condition.matches(bare).headers
            return try await send(request).headers["etag"] ?? ""
        }
    }

    /// An ETag without its quotes; nil when it has none.
    private static func bare(_ etag: String) -> String? {
        guard etag.count > 2, etag.hasPrefix("\""), etag.hasSuffix("\"") else { return nil }
        return String(etag.dropFirst().dropLast())
    }

    /// Removes an object. Removing one that is not there succeeds.
    public func delete(_ key: String) async throws(S3Failure) {
        do {
            _ = try await send(S3Request(method: "DELETE", key: key))
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// Removes up to 1000 objects in one request. Removing one that is not there succeeds.
    /// - Returns: Those that are still there, with the server's reason.
    /// - Throws: ``S3Failure`` when the request as a whole has failed.
    public func delete(_ keys: [String]) async throws(S3Failure) -> [String: S3Failure] {
        precondition(keys.count <= 1000, "too many keys for one request")
        if keys.isEmpty { return [:] }
        let objects = keys.map { "<Object><Key>\($0.escapedForXML)</Key></Object>" }.joined()
        let body = Array(
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>\(objects)</Delete>".utf8)
        var request = S3Request(method: "POST", query: [(name: "delete", value: "")], body: body)
        request.headers = Self.checksum(of: body) + [(name: "content-type", value: "application/xml")]
        let root = try Self.document(try await send(request), "DeleteResult")
        var left: [String: S3Failure] = [:]
        for error in root.all("Error") where error.text("Code") != "NoSuchKey" {
            left[error.text("Key") ?? ""] = S3Failure(
                .answered(status: 500), code: error.text("Code") ?? "", error.text("Message") ?? "it was not removed")
        }
        return left
    }

    /// Whether the bucket answers, tried once.
    func probe() async throws(S3Failure) {
        _ = try await send(S3Request(method: "HEAD"), policy: .probe)
    }

    private static func checksum(of bytes: [UInt8]) -> [(name: String, value: String)] {
        MD5Hash.digest(of: bytes).map { [(name: "content-md5", value: Base64.encode($0))] } ?? []
    }
}
