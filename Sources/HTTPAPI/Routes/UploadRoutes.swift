import Files
import HTTPTypes
import Hummingbird
import Model
import WireProtocol

/// Announcing and committing changes.
struct UploadRoutes {
    let services: APIServices

    private static let ticket = HTTPField.Name(UploadTicket.header).unsafelyUnwrapped

    func add(to routes: RouteTable) {
        routes.path(
            "/v1/namespaces/:namespace/uploads",
            [
                .post: { [self] request, context in try await upload(request, context) },
                .get: { [self] _, context in try await pending(context) },
            ])
        routes.path(
            "/v1/uploads/:upload", [.delete: { [self] request, context in try await withdraw(request, context) }])
        routes.path(
            "/v1/uploads/:upload/pages", [.post: { [self] request, context in try await pages(request, context) }])
    }

    private func upload(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let namespace: NamespaceID = try context.identifier("namespace")
        return try await RequestMemory.held(for: request, services) {
            let message = try await BodyReading.message(
                UploadRequest.self, request, atMost: services.limits.message, services)
            let outcome = try await ReceiveUpload(services.context, completion: services.completion)(
                message, in: namespace, by: context.caller)
            var reply = try await Replies.message(outcome, to: request, services)
            if case .pending = outcome {
                reply.headers[Self.ticket] = try services.context.uploadTickets.issue(
                    for: message.upload, to: context.caller)
            }
            return reply
        }
    }

    private func withdraw(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let upload: UploadID = try context.identifier("upload")
        guard let outcome = try await WithdrawUpload(services.context)(upload, by: context.caller) else {
            return Replies.empty
        }
        return try await Replies.message(outcome, to: request, services)
    }

    private func pages(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let upload: UploadID = try context.identifier("upload")
        return try await RequestMemory.held(for: request, services) {
            let batch = try await BodyReading.message(
                PageBatch.self, request, atMost: services.limits.message, services)
            let missing = try await StorePages(services.context)(batch.pages, of: upload, by: context.caller)
            return try await Replies.message(MissingResponse(blocks: missing), to: request, services, large: true)
        }
    }

    private func pending(_ context: APIRequestContext) async throws -> Response {
        let files = try await ListPendingUploads(services.context)(
            in: context.identifier("namespace"), by: context.caller)
        return try Replies.json(
            files.map { file in
                PendingEntry(
                    upload: file.upload.hex, device: file.device.hex, name: file.name.description, size: file.size,
                    since: Dates.iso8601(file.since))
            })
    }
}
