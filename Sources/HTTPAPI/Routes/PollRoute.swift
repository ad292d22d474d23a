import Files
import HTTPTypes
import Hummingbird
import Model
import Notifications
import WireProtocol

/// The long poll.
struct PollRoute {
    let services: APIServices

    func add(to routes: RouteTable) {
        routes.path("/v1/poll", [.post: { [self] request, context in try await poll(request, context) }])
    }

    private func poll(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let caller = try context.caller
        let message = try await BodyReading.message(
            PollRequest.self, request, atMost: services.limits.question, services)
        guard !message.cursors.isEmpty else { throw Problem.invalid("a poll names at least one namespace") }
        let timeout = UInt64(min(message.timeout, services.limits.poll))
        let answer = try await cancelledOnDisconnect(context.channel) { [services] in
            try await services.notifications.poll(
                cursors: message.cursors, device: caller.device, timeout: timeout
            ) {
                try await ReadHeads(services.context)(of: message.cursors.map(\.namespace), by: caller)
            }
        }
        return try await Replies.message(try response(answer), to: request, services)
    }

    private func response(_ answer: PollAnswer) throws -> PollResponse {
        switch answer {
        case .moved(let moved):
            PollResponse(
                moved: moved.map { .init(namespace: $0.namespace, revision: $0.revision, pending: $0.pending) })
        case .timedOut, .replaced, .closing: PollResponse(moved: [])
        case .revoked: throw FilesError(.tokenRevoked, "the device was revoked; log in again")
        case .disconnected: throw ClientGone()
        }
    }
}
