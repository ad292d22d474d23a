import Model

/// The devices that were revoked lately: a poll may be on its way here while its device is revoked.
///
/// Two sets take turns, so that forgetting costs nothing: a device is remembered for at least ``span`` seconds, and
/// for at most twice as long, unless more than ``most`` others were revoked meanwhile.
struct RecentRevocations {
    /// Longer than any token is believed that no database is asked about.
    static let span: UInt64 = 1200
    static let most = 32_768

    private var present: Set<DeviceID> = []
    private var past: Set<DeviceID> = []
    private var turned: UInt64 = 0

    func contains(_ device: DeviceID) -> Bool {
        present.contains(device) || past.contains(device)
    }

    mutating func insert(_ device: DeviceID, at second: UInt64) {
        if present.count >= Self.most { turn(at: second) }
        present.insert(device)
    }

    mutating func advance(to second: UInt64) {
        if second - turned >= Self.span { turn(at: second) }
    }

    private mutating func turn(at second: UInt64) {
        past = present
        present = []
        turned = second
    }
}
