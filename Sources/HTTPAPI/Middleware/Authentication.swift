import Files
import Hummingbird
import Logging

/// Lets requests with a good token pass, and says who they act for.
struct Authentication: RouterMiddleware {
    let authenticate: AuthenticateDevice

    @concurrent func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let principal = try await authenticate(try request.bearerToken())
        context.principal = principal
        context.logger[metadataKey: "device"] = "\(principal.device)"
        return try await next(request, context)
    }
}
