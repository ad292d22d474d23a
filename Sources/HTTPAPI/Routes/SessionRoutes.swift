import Files
import HTTPTypes
import Hummingbird
import Logging
import Model
import WireProtocol

/// Logging in, and the devices of an account.
struct SessionRoutes {
    let services: APIServices

    func addLogin(to routes: RouteTable) {
        routes.path("/v1/login", [.post: { [self] request, context in try await login(request, context) }])
    }

    func add(to routes: RouteTable) {
        routes.path(
            "/v1/session",
            [
                .get: { [self] _, context in
                    let devices = try await devices(context)
                    guard let own = devices.first(where: \.current) else {
                        throw FilesError(.unauthorized, "the device is gone")
                    }
                    return try Replies.json(own)
                },
                .delete: { [self] _, context in
                    try await RevokeDevice(services.context)(context.caller.device, by: context.caller)
                    return Replies.empty
                },
            ])
        routes.path("/v1/devices", [.get: { [self] _, context in try Replies.json(try await devices(context)) }])
        routes.path(
            "/v1/devices/:device",
            [
                .delete: { [self] _, context in
                    try await RevokeDevice(services.context)(context.identifier("device"), by: context.caller)
                    return Replies.empty
                }
            ])
    }

    private func login(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let body = try await request.json(LoginRequest.self, atMost: services.limits.json)
        let session = try await services.logIn(
            account: body.account, password: body.password, device: body.device, from: context.address)
        context.logger.info(
            "a device logged in",
            metadata: ["account": "\(session.principal.account)", "device": "\(session.principal.device)"])
        return try Replies.json(
            LoginResponse(
                token: session.token.text, accountID: session.principal.account.hex,
                deviceID: session.principal.device.hex, namespaceID: session.principal.home.hex))
    }

    private func devices(_ context: APIRequestContext) async throws -> [DeviceEntry] {
        let caller = try context.caller
        return try await ListDevices(services.context)(of: caller).map { device in
            DeviceEntry(
                id: device.id.hex, name: device.name, created: Dates.iso8601(device.created),
                lastSeen: device.lastSeen.map(Dates.iso8601), revoked: device.revoked.map(Dates.iso8601),
                current: device.id == caller.device)
        }
    }
}
