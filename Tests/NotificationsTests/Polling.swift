import Messaging
import Model
import Notifications

/// Short names for what the tests talk about.
enum Polling {
    static func namespace(_ number: UInt64) -> NamespaceID { NamespaceID(high: 7, low: number) }

    static func device(_ number: UInt64) -> DeviceID { DeviceID(high: 9, low: number) }

    static func cursor(_ number: UInt64, at revision: UInt64) -> Cursor {
        Cursor(namespace: namespace(number), revision: Revision(revision))
    }

    static func uploaded(_ number: UInt64, to revision: UInt64, by: UInt64 = 99) -> BusMessage {
        .changed(
            ChangeNotice(
                namespace: namespace(number), revision: Revision(revision), kind: .uploaded, device: device(by)))
    }

    static func pending(_ number: UInt64, at revision: UInt64, by: UInt64 = 99) -> BusMessage {
        .changed(
            ChangeNotice(namespace: namespace(number), revision: Revision(revision), kind: .pending, device: device(by))
        )
    }

    static func moved(_ number: UInt64, to revision: UInt64, pending: Bool = false) -> PollAnswer {
        .moved([MovedNamespace(namespace: namespace(number), revision: Revision(revision), pending: pending)])
    }
}
