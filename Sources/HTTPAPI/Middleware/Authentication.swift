import Files
import HTTPTypes
import Hummingbird
import Logging

/// Lets requests with a good token pass, and says who they act for.
struct Authentication: RouterMiddleware {
    let authenticate: AuthenticateDevice

    @concurrent func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        guard let field = request.headers[.authorization] else {
            throw FilesError(.unauthorized, "the request has no token: Authorization: Bearer <token>")
        }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw FilesError(.unauthorized, "the request has another authorization than Bearer <token>")
        }
        var context = context
        let principal = try await authenticate(String(parts[1]))
        context.principal = principal
        context.logger[metadataKey: "device"] = "\(principal.device)"
        return try await next(request, context)
    }
}
