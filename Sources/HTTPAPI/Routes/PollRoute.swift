import Files
import HTTPTypes
import Hummingbird
import Model
import Notifications
import WireProtocol

/// The long poll, for who bears a device's token or a poll token, and the route that gives out poll tokens.
struct PollRoute {
    let services: APIServices

    /// Adds the poll, which looks at the token itself.
    func addPoll(to routes: RouteTable) {
        routes.path("/v1/poll", [.post: { [self] request, context in try await poll(request, context) }])
    }

    /// Adds the route for tokens, which a device's own token opens.
    func addToken(to routes: RouteTable) {
        routes.path("/v1/poll/token", [.post: { [self] _, context in try await token(context) }])
    }

    private func token(_ context: APIRequestContext) async throws -> Response {
        let caller = try context.caller
        let followed = try await FollowNamespaces(services.context).all(by: caller)
        guard !followed.isEmpty else { throw FilesError(.notFound, "the account has no namespace") }
        let token = try services.context.pollTokens.issue(
            account: caller.account, device: caller.device, namespaces: followed.map(\.namespace))
        return try Replies.json(
            PollTokenResponse(
                token: token.text, expires: token.expires, lifetime: PollToken.lifetime, servers: services.pollServers))
    }

    private func poll(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let caller = try await caller(try request.bearerToken())
        let message = try await BodyReading.message(
            PollRequest.self, request, atMost: services.limits.question, services)
        guard !message.cursors.isEmpty else { throw Problem.invalid("a poll names at least one namespace") }
        try await check(message.cursors.map(\.namespace), by: caller)
        let timeout = min(message.timeout, services.limits.poll)
        let answer = try await cancelledOnDisconnect(context.channel) { [services] in
            try await services.notifications.poll(cursors: message.cursors, device: caller.device, timeout: timeout)
        }
        return try await Replies.message(try response(answer), to: request, services)
    }

    /// Who polls.
    private enum Caller: Sendable {
        case device(Principal)
        case bearer(PollToken)

        var device: DeviceID {
            switch self {
            case .device(let principal): principal.device
            case .bearer(let token): token.device
            }
        }
    }

    private func caller(_ token: String) async throws -> Caller {
        guard PollTokens.isMeant(by: token) else { return .device(try await services.authenticate(token)) }
        return .bearer(try services.context.pollTokens.verify(token))
    }

    /// Makes sure that the caller may hear of the namespaces. A revocation after this ends the poll when it is parked, since
    /// the desk remembers it.
    private func check(_ namespaces: [NamespaceID], by caller: Caller) async throws {
        switch caller {
        case .device(let principal): try await FollowNamespaces(services.context).check(namespaces, by: principal)
        case .bearer(let token):
            guard !services.notifications.desk.isRevoked(token.device) else { throw Self.revoked }
            guard namespaces.allSatisfy(token.namespaces.contains) else {
                throw Problem(
                    code: .forbidden, title: ProblemCode.forbidden.title, status: ProblemCode.forbidden.status,
                    detail: "the poll token does not name one of the namespaces")
            }
        }
    }

    private func response(_ answer: PollAnswer) throws -> PollResponse {
        switch answer {
        case .moved(let moved):
            PollResponse(
                moved: moved.map { .init(namespace: $0.namespace, revision: $0.revision, pending: $0.pending) })
        case .timedOut, .replaced, .closing: PollResponse(moved: [])
        case .revoked: throw Self.revoked
        case .disconnected: throw ClientGone()
        }
    }

    private static var revoked: FilesError { FilesError(.tokenRevoked, "the device was revoked; log in again") }
}
