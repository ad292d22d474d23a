import CoreMetrics
import HTTPTypes
import Hummingbird
import Logging

/// Counts every request, times it, and writes a line about it. The line and the answer bear the request's id.
struct RequestRecord: RouterMiddleware {
    let metrics: PrometheusRegistry

    /// Routes that are asked all the time and say nothing.
    private static let quiet: Set<String> = ["/health", "/ready", "/metrics", "/v1/poll", "/v1/poll/token"]

    @concurrent func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response = try await next(request, context)
        let route = context.endpointPath ?? "none"
        let duration = ContinuousClock.now - start
        count(request, response, route, duration)
        if let id = context.logger[metadataKey: "hb.request.id"] { response.headers[.requestID] = "\(id)" }
        context.logger.log(
            level: Self.level(response.status.code, route), "request",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path)", "status": "\(response.status.code)",
                "milliseconds": "\(duration.milliseconds)", "address": "\(context.address)",
            ])
        return response
    }

    private static func level(_ status: Int, _ route: String) -> Logger.Level {
        switch status {
        case ClientGone.status: .debug
        // Busy or going down; a storage that can't be reached is logged as an error with its cause.
        case 503: .warning
        case 500...: .error
        default: quiet.contains(route) ? .debug : .info
        }
    }

    private func count(_ request: Request, _ response: Response, _ route: String, _ duration: Duration) {
        let method = request.method.rawValue
        metrics.makeCounter(
            label: "cairn_http_requests_total",
            dimensions: [("method", method), ("route", route), ("status", "\(response.status.code)")]
        ).increment(by: 1)
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }), length > 0 {
            metrics.makeCounter(label: "cairn_http_received_bytes_total", dimensions: [("route", route)])
                .increment(by: length)
        }
        if let length = response.headers[.contentLength].flatMap({ Int64($0) }), request.method != .head {
            metrics.makeCounter(label: "cairn_http_sent_bytes_total", dimensions: [("route", route)])
                .increment(by: length)
        }
        metrics.makeTimer(label: "cairn_http_request_duration_seconds", dimensions: [("route", route)])
            .recordNanoseconds(duration.nanoseconds)
    }
}

extension HTTPField.Name {
    /// The id of the request, as the log has it.
    static let requestID = HTTPField.Name("X-Request-Id")!
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    var milliseconds: Double { Double(nanoseconds / 1000) / 1000 }
}
