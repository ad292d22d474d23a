import Files
import HTTPTypes
import Hummingbird
import Logging
import Model
import WireProtocol

/// Whole files, for clients that know nothing of blocks.
struct FileRoutes {
    let services: APIServices

    private static let prefix = "/v1/files"

    /// Adds the methods of some roles: what moves bytes is for those that keep blocks.
    func add(to routes: RouteTable, roles: Set<ServerRole>) {
        var handlers: [HTTPRequest.Method: RouteTable.Handler] = [:]
        if !roles.isDisjoint(with: [.api, .block]) {
            handlers[.head] = { [self] request, context in try await read(request, context) }
        }
        if roles.contains(.block) {
            handlers[.get] = { [self] request, context in try await read(request, context) }
            handlers[.put] = { [self] request, context in try await write(request, context) }
        }
        if roles.contains(.api) {
            handlers[.delete] = { [self] request, context in try await remove(request, context) }
        }
        if handlers.isEmpty { return }
        routes.path("/v1/files", handlers)
        routes.path("/v1/files/**", handlers)
    }

    private func read(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: Self.prefix)
        let caller = try context.caller
        let file = try await ReadFile(services.context)(
            path, at: try request.pastPoint("at"), in: caller.home, by: caller)
        var headers = Self.headers(of: file)
        if let match = EntityTag.match(request.headers[.ifMatch]), !match.matches(file.content) {
            throw FilesError(.preconditionFailed, "\(path) is not the version that the request is about")
        }
        if let match = EntityTag.match(request.headers[.ifNoneMatch]), match.matches(file.content) {
            return Response(status: .notModified, headers: headers)
        }
        let whole = 0..<file.content.size
        let range = try self.range(request, file) ?? whole
        headers[.contentLength] = String(range.count)
        let status: HTTPResponse.Status = range == whole ? .ok : .partialContent
        if status == .partialContent {
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.content.size)"
        }
        guard request.method != .head else { return Response(status: status, headers: headers) }
        let share = try await services.context.transfers.take(transferMemory)
        let bytes = try await file.read(range)
        let body = Self.body(bytes, length: range.count, share, context.logger)
        return Response(status: status, headers: headers, body: body)
    }

    /// The memory of one file on its way: two windows, each sealed and in the clear.
    private var transferMemory: Int { 4 * services.context.limits.window }

    private static func body(
        _ bytes: FileBytes, length: Int, _ share: MemoryShare, _ log: Logger
    ) -> ResponseBody {
        ResponseBody(contentLength: length) { writer in
            defer { withExtendedLifetime(share) {} }
            do {
                var window = bytes.first
                while let current = window {
                    // One window is read ahead while this one is on its way.
                    async let following = bytes.window(after: current)
                    for piece in current.pieces { try await writer.write(ByteBuffer(bytes: piece)) }
                    window = try await following
                }
            } catch let error as FilesError {
                // The head is on its way: all that is left is to break off, which the client sees as too few bytes.
                log.error("a file broke off", metadata: ["cause": "\(error)"])
                throw error
            }
            try await writer.finish(nil)
        }
    }

    private static func headers(of file: FoundFile) -> HTTPFields {
        [
            .contentType: "application/octet-stream", .eTag: EntityTag.text(file.content.id), .acceptRanges: "bytes",
            .lastModified: Dates.http(file.record.state.modified), .xContentTypeOptions: "nosniff",
            .revision: String(file.record.revision.number),
        ]
    }

    /// The range asked for; nil for the whole file.
    private func range(_ request: Request, _ file: FoundFile) throws -> Range<UInt64>? {
        guard let field = request.headers[.range] else { return nil }
        if let condition = request.headers[.ifRange], condition != EntityTag.text(file.content.id) { return nil }
        return try ByteRange.parse(field, size: file.content.size)
    }

    private func write(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: Self.prefix)
        let caller = try context.caller
        try request.refusePastPoint()
        guard request.headers[.contentEncoding] == nil, request.headers[.contentRange] == nil else {
            throw Problem.invalid("a file is sent as it is: neither encoded nor in part")
        }
        var options = WriteOptions()
        options.preconditions = preconditions(request)
        options.size = try BodyReading.length(of: request)
        options.createParents = request.headers[.createParents]?.lowercased() == "true"
        options.modified = try request.headers[.modified].map { field in
            guard let time = Dates.seconds(field) else {
                throw Problem.invalid("X-Cairn-Modified is not a number of seconds since 1970")
            }
            return time
        }
        let body = try UploadedBody(request, atMost: services.limits.file)
        let share = try await services.context.transfers.take(transferMemory)
        defer { withExtendedLifetime(share) {} }
        let written = try await WriteFile(services.context, completion: services.completion)(
            path, body: body, options: options, in: caller.home, by: caller)
        let tag = EntityTag.text(written.content.id)
        var response = try Replies.json(
            CommittedResponse(revision: written.head.revision.number, etag: tag),
            status: written.isNew ? .created : .ok)
        response.headers[.eTag] = tag
        return response
    }

    private func remove(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: Self.prefix)
        let caller = try context.caller
        try request.refusePastPoint()
        let head = try await RemoveNode(services.context)(
            path, if: preconditions(request), in: caller.home, by: caller)
        return try Replies.json(CommittedResponse(revision: head.revision.number))
    }

    private func preconditions(_ request: Request) -> Preconditions {
        Preconditions(
            ifMatch: EntityTag.match(request.headers[.ifMatch]),
            ifNoneMatch: EntityTag.match(request.headers[.ifNoneMatch]))
    }
}

extension HTTPField.Name {
    /// When the bytes of a file were last written, in seconds since 1970.
    static let modified = HTTPField.Name("X-Cairn-Modified")!
    /// Whether missing folders around a file are made.
    static let createParents = HTTPField.Name("X-Cairn-Create-Parents")!
    /// The revision that gave a node its state.
    static let revision = HTTPField.Name("X-Cairn-Revision")!
}
