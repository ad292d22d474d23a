import Files
import HTTPTypes
import Hummingbird
import Messaging
import Model
import Notifications
import WireProtocol

/// What a device that was away has to look at.
struct QueueRoutes {
    let services: APIServices

    func add(to routes: RouteTable) {
        routes.path("/v1/queue", [.get: { [self] _, context in try await list(context) }])
        routes.path(
            "/v1/queue/acknowledge",
            [.post: { [self] request, context in try await acknowledge(request, context) }])
    }

    private func list(_ context: APIRequestContext) async throws -> Response {
        let device = try context.caller.device
        guard let desk = services.queue else {
            // A server that keeps no queue knows nothing of what the device has missed.
            return try Replies.json(QueueListing(entries: [], position: nil, readFromCursor: true))
        }
        let delivery = try await desk.read(device)
        return try Replies.json(
            QueueListing(
                entries: delivery.entries.map(Self.entry), position: delivery.position?.description,
                readFromCursor: delivery.readFromCursor))
    }

    private func acknowledge(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let device = try context.caller.device
        let body = try await request.json(QueueAcknowledgement.self, atMost: services.limits.json)
        guard let position = QueuePosition(body.position) else {
            throw Problem.invalid("'position' is not one that GET /v1/queue answered")
        }
        try await services.queue?.acknowledge(position, by: device)
        return Replies.empty
    }

    private static func entry(_ entry: QueueEntry) -> QueueListing.Entry {
        switch entry {
        case .moved(let cursor):
            QueueListing.Entry(namespace: cursor.namespace.hex, revision: cursor.revision.number)
        case .event(let event):
            QueueListing.Entry(
                event: event.kind.rawValue, subject: event.subject.hex, moment: Dates.iso8601(event.moment))
        }
    }
}
