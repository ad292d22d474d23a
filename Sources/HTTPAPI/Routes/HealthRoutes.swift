import Files
import HTTPTypes
import Hummingbird
import Metadata
import Notifications
import Storage

/// What those who look after the server ask.
struct HealthRoutes {
    let services: APIServices
    let roles: Set<ServerRole>

    func add(to routes: RouteTable) {
        routes.path("/health", [.get: { _, _ in Self.text("ok\n") }])
        routes.path("/ready", [.get: { [self] _, _ in try await ready() }])
        routes.path("/metrics", [.get: { [self] _, _ in await metrics() }])
    }

    /// Whether requests can be served: the process is not about to end, and what its roles need answers: the database, which
    /// takes a write, and where blocks are kept as many regions as bytes have to be durable in before they are acknowledged.
    private func ready() async throws -> Response {
        if services.readiness.isDraining { throw FilesError(.unavailable, "the server is about to stop") }
        guard roles != [.notify] else {
            // It changes nothing.
            try await services.context.database.read { connection in _ = try connection.query("SELECT 1", []) }
            return Self.text("ready\n")
        }
        try await services.context.database.write { connection in
            _ = try connection.query("SELECT 1", [])
        }
        try await services.context.store.check()
        return Self.text("ready\n")
    }

    private func metrics() async -> Response {
        let parked = Sample("cairn_polls_parked", .gauge, Double(services.notifications.parkedCount))
        let memory = [("messages", services.context.memory), ("files", services.context.transfers)].flatMap {
            kind, budget in
            [
                Sample("cairn_memory_free_bytes", .gauge, labels: ["kind": kind], Double(budget.free)),
                Sample("cairn_memory_waiting", .gauge, labels: ["kind": kind], Double(budget.waitingCount)),
            ]
        }
        let text = services.metrics.text(with: [parked] + memory + (await services.probe()))
        return Self.text(text, type: "text/plain; version=0.0.4; charset=utf-8")
    }

    private static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
