import Files
public import Hummingbird
public import HummingbirdCore
import NIOCore

/// The HTTP interface: docs/protocol.md describes what it speaks.
public enum APIServer {
    /// The routes of some roles. Health, readiness and metrics are those of every process.
    public static func router(
        _ services: APIServices, roles: Set<ServerRole> = Set(ServerRole.allCases)
    ) -> Router<APIRequestContext> {
        let router = Router(context: APIRequestContext.self)
        router.add(middleware: RequestRecord(metrics: services.metrics))
        router.add(middleware: ProblemResponses(metrics: services.metrics))
        let unguarded = RouteTable(router)
        HealthRoutes(services: services, roles: roles).add(to: unguarded)
        if roles.contains(.api) { SessionRoutes(services: services).addLogin(to: unguarded) }
        if roles.contains(.notify) { PollRoute(services: services).addPoll(to: unguarded) }
        let authentication = Authentication(authenticate: services.authenticate)
        let guarded = RouteTable(router.group().add(middleware: authentication))
        if roles.contains(.api) { addTrees(services, to: guarded) }
        if roles.contains(.block) {
            let tickets = TicketAuthentication(
                tickets: services.context.uploadTickets, authentication: authentication)
            BlockRoutes(services: services).addStoring(to: RouteTable(router.group().add(middleware: tickets)))
            BlockRoutes(services: services).add(to: guarded)
        }
        if roles.contains(.notify) { EventRoute(services: services).add(to: guarded) }
        FileRoutes(services: services).add(to: guarded, roles: roles)
        return router
    }

    /// Sessions, uploads, trees and their history.
    private static func addTrees(_ services: APIServices, to guarded: RouteTable) {
        SessionRoutes(services: services).add(to: guarded)
        UploadRoutes(services: services).add(to: guarded)
        ChangeRoutes(services: services).add(to: guarded)
        PollRoute(services: services).addToken(to: guarded)
        QueueRoutes(services: services).add(to: guarded)
        TreeRoutes(services: services).add(to: guarded)
        VersionRoutes(services: services).add(to: guarded)
        RewindRoutes(services: services).add(to: guarded)
    }

    /// How connections are served: HTTP/1.1, idle ones closed after a while, and a watch for those that hang up.
    public static func connections(_ limits: APILimits = APILimits()) -> HTTPServerBuilder {
        .http1(
            configuration: .init(
                additionalChannelHandlers: [DisconnectWatch()], idleTimeout: .seconds(limits.idle)))
    }
}
