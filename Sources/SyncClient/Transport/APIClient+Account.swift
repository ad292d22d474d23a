public import WireProtocol

extension APIClient {
    /// `POST /v1/login`: makes this machine a device of an account.
    public func logIn(_ request: LoginRequest) async throws -> LoginResponse {
        try await json("POST", "/v1/login", body: request)
    }

    /// `GET /v1/session`: the device that the token belongs to.
    public func session() async throws -> DeviceEntry {
        try await json("GET", "/v1/session")
    }

    /// `DELETE /v1/session`: revokes the device's own token.
    public func logOut() async throws {
        _ = try await perform(try Self.jsonExchange("DELETE", "/v1/session"))
    }

    /// `GET /v1/devices`: the account's devices.
    public func devices() async throws -> [DeviceEntry] {
        try await json("GET", "/v1/devices")
    }

    /// `DELETE /v1/devices/{id}`: revokes a device.
    public func revokeDevice(_ id: String) async throws {
        _ = try await perform(try Self.jsonExchange("DELETE", "/v1/devices/\(PercentEncoding.segment(id))"))
    }
}
