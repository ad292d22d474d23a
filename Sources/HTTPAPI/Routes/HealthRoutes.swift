import Files
import HTTPTypes
import Hummingbird
import Metadata
import Notifications
import Storage

/// What those who look after the server ask.
struct HealthRoutes {
    let services: APIServices

    func add(to routes: RouteTable) {
        routes.path("/health", [.get: { _, _ in Self.text("ok\n") }])
        routes.path("/ready", [.get: { [self] _, _ in try await ready() }])
        routes.path("/metrics", [.get: { [self] _, _ in await metrics() }])
    }

    /// Whether requests can be served: the database answers and takes a write, and every region does.
    private func ready() async throws -> Response {
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
