import Files
import HTTPTypes
import Hummingbird
import Metadata
import Model
import WireProtocol

/// What changed since a cursor.
struct ChangeRoutes {
    let services: APIServices

    func add(to routes: RouteTable) {
        routes.path(
            "/v1/namespaces/:namespace/changes",
            [.get: { [self] request, context in try await changes(request, context) }])
    }

    private func changes(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        guard let since = try request.number("since") else {
            throw Problem.invalid("'since' is missing: the last revision that the device has seen")
        }
        let after = try request.text("after").map { text in
            guard let bytes = [UInt8](hex: text), let position = ChangePosition(bytes: bytes) else {
                throw Problem.invalid("'after' is not 48 hexadecimal digits")
            }
            return position
        }
        let limit = try request.number("limit") ?? UInt64(WireLimits.maximumChanges)
        let page = try await ListChanges(services.context)(
            in: context.identifier("namespace"), since: Revision(since),
            upTo: try request.number("upto").map(Revision.init), after: after,
            limit: Int(clamping: limit), by: context.caller)
        let response = ChangesResponse(
            head: page.head,
            entries: page.slice.entries.map { .init(node: $0.node, revision: $0.revision, state: $0.state) },
            next: page.slice.next.map { ChangesPosition(revision: $0.revision, node: $0.node) })
        return try await Replies.message(response, to: request, services, large: page.slice.entries.count > 100)
    }
}
