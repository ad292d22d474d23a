import CoreMetrics
import Files
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import WireProtocol

/// Answers every error with a problem document, and logs it with its cause, which the client is not told.
struct ProblemResponses: RouterMiddleware {
    let metrics: PrometheusRegistry

    @concurrent func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return answer(error, request, context)
        }
    }

    /// Errors are what somebody should look at: neither clients that go away or ask for what can't be, nor a server that
    /// has much to do.
    private static func level(of error: any Error, _ problem: Problem) -> Logger.Level {
        switch error {
        case is ClientGone, is CancellationError: return .debug
        case let error as FilesError where error.code == .unavailable: return .warning
        case let error as FilesError where error.code == .thawing: return .debug
        default: break
        }
        if problem.status >= 500 { return .error }
        return problem.code == .truncatedBody ? .info : .debug
    }

    private func answer(_ error: any Error, _ request: Request, _ context: APIRequestContext) -> Response {
        let problem = Problem(describing: error)
        metrics.makeCounter(label: "cairn_problems_total", dimensions: [("code", problem.code.rawValue)]).increment(
            by: 1)
        context.logger.log(
            level: Self.level(of: error, problem), "a request failed",
            metadata: [
                "code": "\(problem.code.rawValue)", "cause": "\(error)", "method": "\(request.method)",
                "path": "\(request.uri.path)",
            ])
        var headers: HTTPFields = [.contentType: Problem.mediaType]
        if let seconds = problem.retryAfter { headers[.retryAfter] = String(seconds) }
        if problem.status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"cairn\"" }
        if let error = error as? MethodNotAllowed { headers[.allow] = error.allowed }
        if let error = error as? UnsatisfiableRange { headers[.contentRange] = "bytes */\(error.size)" }
        let status = HTTPResponse.Status(code: problem.status)
        // A problem of these few strings and numbers can always be encoded.
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let body = try? encoder.encode(problem) else { return Response(status: status) }
        // What follows the head of an answer to HEAD would be read as the next answer.
        if request.method == .head {
            headers[.contentLength] = String(body.count)
            return Response(status: status, headers: headers)
        }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
