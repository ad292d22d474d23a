public import Model

/// What an ``EventSubjectID`` names: a share, a request, a restore, an account.
public enum EventSubjectKind {}
/// Names what an account event is about.
public typealias EventSubjectID = Identifier<EventSubjectKind>

/// Something that happened to an account, and that its devices have to look at.
///
/// The event says only where to look. Of two events of one kind about one subject the later one stands for both.
public struct AccountEvent: Hashable, Sendable {
    /// What kind of thing happened. The set is open: a receiver passes over kinds that it does not know.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The name of the kind as it is stored and sent: lower case, words joined by `_`.
        public let rawValue: String

        /// Makes a kind of its name, which must not be empty.
        public init(rawValue: String) {
            precondition(!rawValue.isEmpty, "an event has a kind")
            self.rawValue = rawValue
        }

        /// Somebody offers to share a folder; the subject is the offer.
        public static let shareOffered = Kind(rawValue: "share_offered")
        /// Somebody asks for something that this account has to approve; the subject is the request.
        public static let approvalWanted = Kind(rawValue: "approval_wanted")
        /// What the device asked for of the archive can be read; the subject is the account.
        public static let restoreReady = Kind(rawValue: "restore_ready")
        /// A device was added or revoked; the subject is the account.
        public static let deviceListChanged = Kind(rawValue: "device_list_changed")
    }

    /// What kind of thing happened.
    public let kind: Kind
    /// What it happened to.
    public let subject: EventSubjectID
    /// When it happened: which of two events is the later one.
    public let moment: Timestamp

    /// Makes an event of its parts.
    public init(_ kind: Kind, _ subject: EventSubjectID, at moment: Timestamp) {
        self.kind = kind
        self.subject = subject
        self.moment = moment
    }
}
