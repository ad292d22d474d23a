public import Blocks
public import Model
public import WireProtocol

extension APIClient: SyncServer {
    /// `POST /v1/namespaces/{ns}/uploads`.
    public func submit(_ request: UploadRequest, to namespace: NamespaceID) async throws -> UploadOutcome {
        var ticket: String?
        let outcome: UploadOutcome = try await exchange(
            "POST", "/v1/namespaces/\(namespace.hex)/uploads", request
        ) { ticket = $0[TicketBox.field] }
        tickets.keep(ticket, for: request.upload)
        return outcome
    }

    /// `DELETE /v1/uploads/{id}`: no content says that the upload is withdrawn.
    public func withdraw(_ upload: UploadID) async throws -> UploadOutcome? {
        tickets.keep(nil, for: upload)
        let path = "/v1/uploads/\(upload.hex)"
        let answer = try await perform(HTTPExchange(method: "DELETE", path: path, timeout: Self.callTimeout))
        return answer.status == 204 ? nil : try await unpack(answer, path: path)
    }

    /// `POST /v1/uploads/{id}/pages`.
    public func store(pages: [[UInt8]], of upload: UploadID) async throws -> [BlockID] {
        // Pages are hashes for the most part: nothing to gain by compressing them.
        try await exchange(
            "POST", "/v1/uploads/\(upload.hex)/pages", PageBatch(pages: pages), compress: false,
            as: MissingResponse.self
        ).blocks
    }

    /// `POST /v1/blocks?upload={id}`, with the ticket that the announcement brought, if it brought one.
    public func store(blocks: [EncodedBlock], of upload: UploadID) async throws -> StoredResponse {
        let ticket = tickets.ticket(for: upload)
        let stored: StoredResponse
        do {
            stored = try await send(blocks, of: upload, token: ticket)
        } catch let error as ClientError where error.code == .unauthorized && ticket != nil {
            // Too old, or signed by a key that is gone. The device's own token says whether the device is still trusted.
            tickets.keep(nil, for: upload)
            stored = try await send(blocks, of: upload, token: nil)
        }
        if stored.outcome != nil { tickets.keep(nil, for: upload) }
        return stored
    }

    private func send(_ blocks: [EncodedBlock], of upload: UploadID, token: String?) async throws -> StoredResponse {
        try await exchange(
            "POST", "/v1/blocks?upload=\(upload.hex)", BlockBatch(blocks: blocks), compress: false,
            at: PollPlace(server: nil, token: token))
    }

    /// `POST /v1/blocks/missing`.
    public func missing(of blocks: [BlockID]) async throws -> [BlockID] {
        try await exchange(
            "POST", "/v1/blocks/missing", BlockNames(blocks: blocks), compress: false, as: MissingResponse.self
        ).blocks
    }

    /// `POST /v1/blocks/fetch`. The blocks are not verified yet, but are those that were asked for by name.
    public func fetch(blocks: [BlockID]) async throws -> [EncodedBlock] {
        let batch: BlockBatch = try await exchange(
            "POST", "/v1/blocks/fetch", BlockNames(blocks: blocks), compress: false)
        guard batch.blocks.map(\.id) == blocks else {
            throw ClientError(.protocolViolation, "the server sent other blocks than those asked for")
        }
        return batch.blocks
    }

    /// `POST /v1/pages/fetch`.
    public func fetch(pages: [PageQuestion.Item]) async throws -> [[UInt8]] {
        try await exchange(
            "POST", "/v1/pages/fetch", PageQuestion(items: pages), compress: false, as: PageBatch.self
        ).pages
    }

    /// `GET /v1/namespaces/{ns}/changes`.
    public func changes(
        in namespace: NamespaceID, since: Revision, upTo: Revision?, after: ChangesPosition?
    ) async throws -> ChangesResponse {
        var path = "/v1/namespaces/\(namespace.hex)/changes?since=\(since.number)"
        if let upTo { path += "&upto=\(upTo.number)" }
        if let after {
            path += "&after=" + ([UInt8](bigEndian: after.revision.number) + after.node.bytes).hex
        }
        return try await exchange("GET", path, nil)
    }

    /// `POST /v1/poll/token`; nil from a server that is older than the route.
    public func pollToken() async throws -> PollTokenResponse? {
        do {
            return try await json("POST", "/v1/poll/token", retry: .once)
        } catch let error as ClientError where error.code == .notOnServer {
            return nil
        }
    }

    /// `POST /v1/poll`, once: whoever polls has a loop around it.
    public func poll(_ request: PollRequest, at place: PollPlace) async throws -> PollResponse {
        try await exchange(
            "POST", "/v1/poll", request, compress: false, timeout: .seconds(Int64(request.timeout) + 30), retry: .once,
            at: place)
    }

    /// Whether the server is spoken to by TLS.
    public var isSecure: Bool { configuration.server.lowercased().hasPrefix("https://") }

    /// `GET /v1/namespaces/{ns}/uploads`.
    public func pendingUploads(in namespace: NamespaceID) async throws -> [PendingEntry] {
        try await json("GET", "/v1/namespaces/\(namespace.hex)/uploads")
    }
}
