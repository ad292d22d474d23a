import Files
import Hummingbird

extension Request {
    /// The token that the request bears.
    /// - Throws: ``FilesError`` `unauthorized` when it bears none.
    func bearerToken() throws -> String {
        guard let field = headers[.authorization] else {
            throw FilesError(.unauthorized, "the request has no token: Authorization: Bearer <token>")
        }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw FilesError(.unauthorized, "the request has another authorization than Bearer <token>")
        }
        return String(parts[1])
    }
}
