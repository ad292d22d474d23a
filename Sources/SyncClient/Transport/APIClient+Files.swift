public import Model
public import WireProtocol

extension APIClient {
    /// `GET /v1/list/{path}`: all entries of a folder, page by page.
    /// - Parameters:
    ///   - path: The folder.
    ///   - point: A revision or a moment, to see the folder as it was; nil for the
    ///     present. All pages are of one revision then.
    ///   - page: Takes each page as it comes.
    /// - Throws: ``ClientError``, and what `page` throws.
    public func list(
        _ path: RemotePath, at point: String? = nil, page: (WireProtocol.FolderListing) throws -> Void
    ) async throws {
        var (after, point): (String?, String?) = (nil, point)
        repeat {
            var address = Self.address("list", path, at: point)
            if let after { address += "\(point == nil ? "?" : "&")after=\(after)" }
            let listing: WireProtocol.FolderListing = try await json("GET", address)
            try page(listing)
            after = listing.next
            if point != nil { point = String(listing.revision) }
        } while after != nil
    }

    /// `POST /v1/folders/{path}`: makes a folder.
    public func makeFolder(_ path: RemotePath) async throws -> CommittedResponse {
        try await json("POST", "/v1/folders/\(PercentEncoding.path(path))")
    }

    /// `POST /v1/move`: moves or renames a node.
    public func move(_ from: RemotePath, to: RemotePath) async throws -> CommittedResponse {
        try await json(
            "POST", "/v1/move",
            body: MoveRequest(from: "/" + PercentEncoding.path(from), to: "/" + PercentEncoding.path(to)))
    }

    /// `DELETE /v1/files/{path}`: removes a node, a folder with all that is in it.
    public func remove(_ path: RemotePath) async throws {
        _ = try await perform(try Self.jsonExchange("DELETE", "/v1/files/\(PercentEncoding.path(path))"))
    }

    /// `PUT /v1/files/{path}`: writes a whole file.
    /// - Parameters:
    ///   - path: Where it goes.
    ///   - length: How many bytes there are.
    ///   - modified: When they were last written.
    ///   - open: Makes the bytes, from the start; called again for another attempt.
    /// - Returns: The answer, a ``CommittedResponse``.
    /// - Throws: ``ClientError``, and what the bytes throw.
    func put(
        _ path: RemotePath, length: UInt64, modified: Timestamp, open: @escaping @Sendable () throws -> any ByteSource
    ) async throws -> HTTPAnswer {
        var exchange = HTTPExchange(
            method: "PUT", path: "/v1/files/\(PercentEncoding.path(path))",
            timeout: Self.callTimeout + .seconds(Int64(length / (256 << 10))))
        exchange.headers = [
            ("Content-Type", "application/octet-stream"), ("X-Cairn-Modified", ISOTime.seconds(modified)),
        ]
        exchange.body = .stream(length: length, open: open)
        return try await perform(exchange)
    }

    /// `HEAD /v1/files/{path}`: the entity tag of a file, as it is or as it was at some point.
    func tag(of path: RemotePath, at point: String? = nil) async throws -> String? {
        do {
            return try await perform(try Self.jsonExchange("HEAD", Self.address("files", path, at: point)))
                .headers["etag"]
        } catch let error as ClientError where error.code == .notOnServer {
            // An answer to HEAD has no body that could say so.
            throw ClientError(.notOnServer, "there \(point == nil ? "is" : "was") nothing at \(path)")
        }
    }

    /// `GET /v1/files/{path}` from an offset on. Made once: the caller goes on where it stopped.
    /// - Returns: The answer's headers; `receive` has had the body.
    func get(
        _ path: RemotePath, at point: String? = nil, from offset: UInt64, ifMatch tag: String?,
        receive: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> HTTPAnswer {
        var exchange = HTTPExchange(
            method: "GET", path: Self.address("files", path, at: point), timeout: .seconds(24 * 3600))
        if offset > 0 { exchange.headers.append(("Range", "bytes=\(offset)-")) }
        if let tag { exchange.headers.append(("If-Match", tag)) }
        return try await perform(exchange, retry: .once, receive: receive)
    }
}
