import Files
import Hummingbird
import Logging
import Model

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

/// Lets those pass too that bring a ticket for the upload that they name. No session is looked at for them.
struct TicketAuthentication: RouterMiddleware {
    let tickets: UploadTickets
    let authentication: Authentication

    @concurrent func handle(
        _ request: Request, context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        let token = try request.bearerToken()
        guard UploadTickets.isMeant(by: token) else {
            return try await authentication.handle(request, context: context, next: next)
        }
        let (principal, upload) = try tickets.verify(token)
        guard request.text("upload") == upload.hex else {
            throw FilesError(.unauthorized, "the ticket is for another upload than the one in the query")
        }
        var context = context
        context.principal = principal
        context.logger[metadataKey: "device"] = "\(principal.device)"
        return try await next(request, context)
    }
}
