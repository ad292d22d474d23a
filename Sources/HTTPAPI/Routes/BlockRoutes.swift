import Files
import HTTPTypes
import Hummingbird
import Model
import WireProtocol

/// Blocks and pages, both ways.
struct BlockRoutes {
    let services: APIServices

    /// What tickets are good for as well as tokens.
    func addStoring(to routes: RouteTable) {
        routes.path("/v1/blocks", [.post: { [self] request, context in try await store(request, context) }])
    }

    func add(to routes: RouteTable) {
        routes.path("/v1/blocks/fetch", [.post: { [self] request, context in try await fetch(request, context) }])
        routes.path("/v1/blocks/missing", [.post: { [self] request, context in try await missing(request, context) }])
        routes.path("/v1/pages/fetch", [.post: { [self] request, context in try await pages(request, context) }])
    }

    private func store(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let upload = try request.text("upload").map { text in
            guard let upload = UploadID(hex: text) else {
                throw Problem.invalid("the upload in the query is not 32 hexadecimal digits")
            }
            return upload
        }
        return try await RequestMemory.held(for: request, services) {
            let batch = try await BodyReading.message(
                BlockBatch.self, request, atMost: services.limits.message, services)
            let answer = try await StoreBlocks(services.context, completion: services.completion)(
                batch.blocks, for: upload, by: context.caller)
            return try await Replies.message(
                StoredResponse(added: answer.added, outcome: answer.outcome), to: request, services)
        }
    }

    private func fetch(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let names = try await names(request)
        let found = try await FetchBlocks(services.context)(names, by: context.caller)
        let share = try await services.context.memory.take(RequestMemory.ofAnswer(found, services))
        return try await Replies.blocks(found, share, to: request, services)
    }

    private func missing(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let names = try await names(request)
        let missing = try await FindMissingBlocks(services.context)(names, by: context.caller)
        return try await Replies.message(MissingResponse(blocks: missing), to: request, services, large: true)
    }

    private func pages(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let question = try await BodyReading.message(
            PageQuestion.self, request, atMost: services.limits.question, services)
        let pages = try await FetchPages(services.context)(
            question.items.map { FetchPages.Question(want: $0.want, have: $0.have) }, by: context.caller)
        return try await Replies.message(PageBatch(pages: pages), to: request, services, large: true)
    }

    private func names(_ request: Request) async throws -> [BlockID] {
        try await BodyReading.message(BlockNames.self, request, atMost: services.limits.question, services).blocks
    }
}
