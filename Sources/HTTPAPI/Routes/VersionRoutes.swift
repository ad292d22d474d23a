import Files
import HTTPTypes
import Hummingbird
import Metadata
import Model
import WireProtocol

/// The versions of files, what is gone, and pins.
struct VersionRoutes {
    let services: APIServices

    func add(to routes: RouteTable) {
        add("/v1/history", [.get: { [self] in try await history($0, $1) }], to: routes)
        add("/v1/deleted", [.get: { [self] in try await deleted($0, $1) }], to: routes)
        add(
            "/v1/pins",
            [.put: { [self] in try await pin($0, $1) }, .delete: { [self] in try await unpin($0, $1) }], to: routes)
    }

    private func add(_ path: String, _ handlers: [HTTPRequest.Method: RouteTable.Handler], to routes: RouteTable) {
        routes.path(RouterPath(path), handlers)
        routes.path(RouterPath(path + "/**"), handlers)
    }

    private func history(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: "/v1/history")
        let caller = try context.caller
        let node = try request.text("node").map { text in
            guard let node = NodeID(hex: text) else { throw Problem.invalid("'node' is not 32 hexadecimal digits") }
            return node
        }
        let nodes = try await ListVersions(services.context)(
            path, showsAll: request.text("all") == "true", node: node,
            before: try request.number("before").map(Revision.init),
            limit: Int(clamping: try request.number("limit") ?? 1000), in: caller.home, by: caller)
        return try Replies.json(
            VersionListing(
                path: path.description,
                nodes: nodes.map { node in
                    NodeVersions(
                        node: node.node.hex, path: node.path?.description, entries: node.entries.map(entry),
                        hidden: node.hidden, next: node.next?.number)
                }))
    }

    private func entry(_ entry: ListVersions.Entry) -> VersionEntry {
        let content = entry.state.payload.content
        return VersionEntry(
            revision: entry.revision.number, changes: entry.changes.map(\.rawValue),
            time: entry.time.map(Dates.iso8601), device: entry.device?.hex, deviceName: entry.deviceName,
            size: content?.size, etag: content.map { EntityTag.text($0.id) },
            modified: Dates.iso8601(entry.state.modified), mode: String(entry.state.mode, radix: 8),
            kept: entry.isKept, current: entry.isPresent, path: entry.path?.description,
            href: entry.path.map(RequestPath.encode), pin: entry.pin)
    }

    private func deleted(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: "/v1/deleted")
        let caller = try context.caller
        let after = try request.text("after").map { text in
            guard let bytes = [UInt8](hex: text), let position = ChangePosition(bytes: bytes) else {
                throw Problem.invalid("'after' is not 48 hexadecimal digits")
            }
            return position
        }
        let page = try await ListDeleted(services.context)(
            path, after: after, limit: Int(clamping: try request.number("limit") ?? 1000), in: caller.home, by: caller)
        return try Replies.json(
            DeletedListing(
                path: path.description, entries: page.entries.map(entry), next: page.next?.bytes.hex))
    }

    private func entry(_ entry: ListDeleted.Entry) -> DeletedEntry {
        DeletedEntry(
            path: entry.path.description, href: RequestPath.encode(entry.path),
            kind: entry.record.state.payload.kindName, size: entry.record.state.payload.content?.size,
            node: entry.record.node.hex, revision: entry.revision.number, time: entry.time.map(Dates.iso8601),
            device: entry.device?.hex, deviceName: entry.deviceName, kept: entry.isKept)
    }

    private func pin(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: "/v1/pins")
        let caller = try context.caller
        let point = try request.pastPoint("at")
        let body = try await request.json(PinRequest.self, atMost: services.limits.json)
        let pin = try await PinVersion(services.context)(path, at: point, name: body.name, in: caller.home, by: caller)
        return try Replies.json(
            PinEntry(
                node: pin.node.hex, revision: pin.revision.number, name: pin.name, created: Dates.iso8601(pin.created)))
    }

    private func unpin(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let path = try RequestPath.node(request, below: "/v1/pins")
        let caller = try context.caller
        let count = try await PinVersion(services.context).remove(
            path, at: try request.pastPoint("at"), in: caller.home, by: caller)
        return try Replies.json(UnpinnedResponse(removed: count))
    }
}
