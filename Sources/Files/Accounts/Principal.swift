public import Model

/// Who a request acts for: a device, and the account that it belongs to.
public struct Principal: Hashable, Sendable {
    /// The account.
    public let account: AccountID
    /// The device.
    public let device: DeviceID
    /// The account's home namespace.
    public let home: NamespaceID

    /// Makes a principal of its parts.
    public init(account: AccountID, device: DeviceID, home: NamespaceID) {
        self.account = account
        self.device = device
        self.home = home
    }
}
