import Messaging
import Metadata
public import Model

/// Makes a device's token worthless, for good.
public struct RevokeDevice: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Revokes a device of the caller's account; it may be the caller's own. Once this returns, no request of the device is
    /// served here any more, and its poll has ended.
    /// - Throws: ``FilesError`` `notFound` when the account has no such device.
    public func callAsFunction(_ device: DeviceID, by principal: Principal) async throws {
        let now = context.clock.now()
        try await context.database.write { connection in
            guard let record = try DeviceQueries(connection).byID(device), record.account == principal.account else {
                throw FilesError(.notFound, "there is no device \(device)")
            }
            try DeviceQueries(connection).revoke(device, at: now)
        }
        await context.bus.publish(.revoked(device))
    }
}
