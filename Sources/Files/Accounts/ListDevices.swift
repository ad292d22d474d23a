import Metadata
public import Model

/// A device, for those who look after them.
public struct DeviceView: Hashable, Sendable {
    /// The device.
    public let id: DeviceID
    /// What people call it.
    public let name: String
    /// When it logged in.
    public let created: Timestamp
    /// When it was last heard of, to some minutes.
    public let lastSeen: Timestamp?
    /// When it was revoked; nil while it may be used.
    public let revoked: Timestamp?
}

/// Tells which devices an account has.
public struct ListDevices: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// All devices of the caller's account, revoked ones too, oldest first.
    public func callAsFunction(of principal: Principal) async throws -> [DeviceView] {
        try await context.database.read { connection in
            try DeviceQueries(connection).all(of: principal.account).map { record in
                DeviceView(
                    id: record.id, name: record.name, created: record.created, lastSeen: record.lastSeen,
                    revoked: record.revoked)
            }
        }
    }
}
