import Files
public import Hummingbird
import Logging
import NIOCore

/// What belongs to one request while it is served.
public struct APIRequestContext: RequestContext {
    /// What Hummingbird keeps.
    public var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// Who asks; known once the token was checked.
    var principal: Principal?

    /// Makes the context of a request that came on a connection.
    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The address that the request comes from, without the port.
    var address: String { channel.remoteAddress?.ipAddress ?? "local" }

    /// Who asks, in a route that only those with a token reach.
    var caller: Principal {
        get throws {
            guard let principal else { throw FilesError(.unauthorized, "the request has no token") }
            return principal
        }
    }
}
