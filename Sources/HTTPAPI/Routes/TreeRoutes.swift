import Files
import HTTPTypes
import Hummingbird
import Model
import WireProtocol

/// Folders and names, for clients that know nothing of nodes.
struct TreeRoutes {
    let services: APIServices

    func add(to routes: RouteTable) {
        let list: [HTTPRequest.Method: RouteTable.Handler] = [
            .get: { [self] request, context in try await self.list(request, context) }
        ]
        routes.path("/v1/list", list)
        routes.path("/v1/list/**", list)
        let folders: [HTTPRequest.Method: RouteTable.Handler] = [
            .post: { [self] request, context in try await makeFolder(request, context) }
        ]
        routes.path("/v1/folders", folders)
        routes.path("/v1/folders/**", folders)
        routes.path("/v1/move", [.post: { [self] request, context in try await move(request, context) }])
    }

    private func list(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: "/v1/list")
        let caller = try context.caller
        let limit = try request.number("limit") ?? 1000
        let page = try await ListFolder(services.context)(
            path, at: try request.pastPoint("at"), after: try request.text("after").map(RequestPath.name),
            limit: Int(clamping: limit),
            in: caller.home, by: caller)
        return try Replies.json(
            FolderListing(
                path: path.description, revision: page.revision.number,
                entries: page.entries.map { entry($0, in: path) },
                next: page.next.map(RequestPath.encode)))
    }

    private func entry(_ record: NodeRecord, in folder: RemotePath) -> FolderEntry {
        let state = record.state
        return FolderEntry(
            name: state.name.description, href: RequestPath.encode(folder.appending(state.name)),
            kind: state.payload.kindName,
            size: state.payload.content?.size, modified: Dates.iso8601(state.modified),
            mode: String(state.mode, radix: 8), revision: record.revision.number,
            etag: state.payload.content.map { EntityTag.text($0.id) })
    }

    private func makeFolder(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: "/v1/folders")
        let caller = try context.caller
        let parents = request.headers[.createParents]?.lowercased() == "true"
        let head = try await MakeFolder(services.context)(path, parents: parents, in: caller.home, by: caller)
        return try Replies.json(CommittedResponse(revision: head.revision.number), status: .created)
    }

    private func move(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let body = try await request.json(MoveRequest.self, atMost: services.limits.json)
        let caller = try context.caller
        let head = try await MoveNode(services.context)(
            from: RequestPath.decode(body.from), to: RequestPath.decode(body.to), in: caller.home, by: caller)
        return try Replies.json(CommittedResponse(revision: head.revision.number))
    }
}

extension NodePayload {
    /// The word of the protocol for the kind of node.
    var kindName: String {
        switch self {
        case .folder: "folder"
        case .file: "file"
        case .symlink: "symlink"
        }
    }
}
