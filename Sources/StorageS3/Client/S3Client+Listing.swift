/// One object of a list.
public struct S3ListedObject: Hashable, Sendable {
    /// Its key.
    public let key: String
    /// How many bytes it has.
    public let size: UInt64
    /// When it was stored, in seconds since 1970; nil when the server does not say.
    public let modified: Int64?
}

/// A part of a list.
public struct S3Page: Hashable, Sendable {
    /// The objects, ordered by key.
    public let objects: [S3ListedObject]
    /// What continues the list; nil at its end.
    public let next: String?
}

extension S3Client {
    /// A page of the objects whose keys begin alike (ListObjectsV2).
    /// - Parameters:
    ///   - prefix: How they begin.
    ///   - token: What the page before has named; nil for the first.
    ///   - limit: The most objects of the page, 1 to 1000.
    /// - Returns: The page, and what continues it.
    /// - Throws: ``S3Failure``.
    public func list(
        prefix: String, continuing token: String? = nil, limit: Int = 1000
    ) async throws(S3Failure) -> S3Page {
        var request = S3Request(method: "GET")
        request.query = [
            (name: "list-type", value: "2"), (name: "prefix", value: prefix), (name: "max-keys", value: "\(limit)"),
        ]
        if let token { request.query.append((name: "continuation-token", value: token)) }
        let root = try Self.document(try await send(request), "ListBucketResult")
        var objects: [S3ListedObject] = []
        for item in root.all("Contents") {
            guard let key = item.text("Key"), let size = item.text("Size").flatMap({ UInt64($0) }) else {
                throw S3Failure(.malformed, "an object of the list has no key or no size")
            }
            let modified = item.text("LastModified").flatMap { SigningTime.seconds(of: $0) }
            objects.append(S3ListedObject(key: key, size: size, modified: modified))
        }
        guard root.text("IsTruncated") == "true" else { return S3Page(objects: objects, next: nil) }
        // A list that is cut short without a way on must not be taken for all.
        guard let next = root.text("NextContinuationToken"), !next.isEmpty else {
            throw S3Failure(.malformed, "a list that goes on does not say how")
        }
        return S3Page(objects: objects, next: next)
    }

    /// Visits all objects whose keys begin alike, page by page. O(objects).
    func list(prefix: String, _ visit: ([S3ListedObject]) async throws(S3Failure) -> Void) async throws(S3Failure) {
        var token: String?
        repeat {
            let page = try await list(prefix: prefix, continuing: token)
            try await visit(page.objects)
            token = page.next
        } while token != nil
    }
}
