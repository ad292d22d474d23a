import Files
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Notifications
import WireProtocol

/// News as server-sent events, for web pages: the same polls at the same desk, one after the other.
struct EventRoute {
    let services: APIServices

    func add(to routes: RouteTable) {
        routes.path("/v1/events", [.get: { [self] _, context in try await events(context) }])
    }

    private func events(_ context: APIRequestContext) async throws -> Response {
        let caller = try context.caller
        let stream = try services.eventStreams.open(for: caller.device)
        // Read once the stream hears of revocations.
        let cursors = try await FollowNamespaces(services.context).all(by: caller)
        let body = ResponseBody { [self] writer in
            try await writer.write(ByteBuffer(string: ServerSentEvent.head))
            var positions = cursors
            while let answer = try await next(stream, after: positions, context.channel) {
                guard let text = try Self.text(of: answer, advancing: &positions) else { break }
                try await writer.write(ByteBuffer(string: text))
            }
            try await writer.finish(nil)
        }
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        headers[.acceleratedBuffering] = "no"
        return Response(status: .ok, headers: headers, body: body)
    }

    /// The end of the next poll; nil when the stream has ended.
    private func next(
        _ stream: EventStream, after cursors: [Cursor], _ channel: any Channel
    ) async throws -> PollAnswer? {
        // A device has one poll, but a person may have several pages open: each stream polls under a name of its own.
        let name: DeviceID = services.context.randomness.identifier()
        return try await stream.whileOpen { [services] in
            try await cancelledOnDisconnect(channel) {
                try await services.notifications.poll(
                    cursors: cursors, device: name, timeout: services.limits.heartbeat)
            }
        }
    }

    /// What to write after a poll; nil when the stream is to end.
    private static func text(of answer: PollAnswer, advancing cursors: inout [Cursor]) throws -> String? {
        switch answer {
        case .moved(let moved):
            for news in moved {
                for index in cursors.indices where cursors[index].namespace == news.namespace {
                    let revision = max(cursors[index].revision, news.revision)
                    cursors[index] = Cursor(namespace: news.namespace, revision: revision)
                }
            }
            return try moved.map(ServerSentEvent.moved).joined()
        case .timedOut, .replaced: return ServerSentEvent.heartbeat
        case .revoked, .closing, .disconnected: return nil
        }
    }
}

extension HTTPField.Name {
    /// Tells nginx to pass the answer on as it comes.
    fileprivate static let acceleratedBuffering = HTTPField.Name("X-Accel-Buffering")!
}
