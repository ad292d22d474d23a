import Messaging
import Metadata
import Model

/// What a device would have to look at if it had seen nothing yet: what the journal and the accounts say.
///
/// A queue passes over what the device has acknowledged. So adding all of this brings a queue up to date, whatever it
/// missed, and costs nothing when it missed nothing. Further kinds of events get their truth here.
struct QueueTruth {
    private let connection: any MetadataConnection
    private var heads: [AccountID: [QueueEntry]] = [:]

    init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// The entries of a device; the heads of an account are read once.
    mutating func entries(of device: DeviceID, account: AccountID) throws -> [QueueEntry] {
        var entries = try headEntries(of: account)
        if let moment = try DeviceQueries(connection).listChanged(of: account, asSeenBy: device) {
            let subject = EventSubjectID(high: account.high, low: account.low)
            entries.append(.event(AccountEvent(.deviceListChanged, subject, at: moment)))
        }
        return entries
    }

    private mutating func headEntries(of account: AccountID) throws -> [QueueEntry] {
        if let known = heads[account] { return known }
        let entries = try NamespaceQueries(connection).heads(of: account).filter { $0.revision > .zero }.map {
            QueueEntry.moved(Cursor(namespace: $0.namespace, revision: $0.revision))
        }
        heads[account] = entries
        return entries
    }
}
