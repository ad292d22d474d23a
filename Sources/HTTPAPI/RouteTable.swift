import HTTPTypes
import Hummingbird

/// Adds routes so that a known path answers every method: those that it does not offer with 405.
struct RouteTable {
    typealias Handler = @Sendable (Request, APIRequestContext) async throws -> Response

    private static let methods: [HTTPRequest.Method] = [.get, .head, .put, .post, .delete, .patch, .options]

    private let group: any RouterMethods<APIRequestContext>

    init(_ group: any RouterMethods<APIRequestContext>) { self.group = group }

    /// Adds the methods of a path.
    func path(_ path: RouterPath, _ handlers: [HTTPRequest.Method: Handler]) {
        let allowed = Self.methods.filter { handlers[$0] != nil }.map(\.rawValue).joined(separator: ", ")
        for method in Self.methods {
            if let handler = handlers[method] {
                group.on(path, method: method, use: handler)
            } else {
                group.on(path, method: method) { request, _ -> Response in
                    throw MethodNotAllowed(method: request.method.rawValue, allowed: allowed)
                }
            }
        }
    }
}

/// The path exists, the method does not.
struct MethodNotAllowed: Error {
    let method: String
    let allowed: String
}
