import Messaging
import Model
import Notifications
import Testing

/// What a check works with: a journal, a bus and a time that it moves by hand, the desk that hears of them, and the driver
/// under test.
struct PollWorld {
    let journal: PollJournal
    let bus: LossyChangeBus
    let desk: PollDesk
    let driver: any PollDriver

    static func namespace(_ number: UInt64) -> NamespaceID { NamespaceID(high: 0xA0, low: number) }

    func device(_ names: UInt64...) async throws -> DeviceID {
        try await driver.makeDevice(seeing: names.map(Self.namespace))
    }

    /// Sends a poll of a device from these revisions on.
    func poll(_ device: DeviceID, _ seen: [UInt64: UInt64], timeout: UInt32 = 600) async throws -> any OpenPoll {
        let cursors = seen.sorted { $0.key < $1.key }.map {
            Cursor(namespace: Self.namespace($0.key), revision: Revision($0.value))
        }
        return try await driver.poll(device: device, cursors: cursors, timeout: timeout)
    }

    /// The same, and waits until it is parked as one of so many and its heads are read.
    func parked(
        _ device: DeviceID, _ seen: [UInt64: UInt64], timeout: UInt32 = 600, of count: Int = 1
    ) async throws -> any OpenPoll {
        let poll = try await poll(device, seen, timeout: timeout)
        await waitUntil { $0.parked == count && $0.unread == 0 }
        return poll
    }

    /// Looks at the desk again and again, without sleeping, until it is as it shall be.
    func waitUntil(_ condition: (PollStatistics) -> Bool) async {
        while !condition(desk.statistics) { await Task.yield() }
    }

    /// Makes a commit, and tells of it unless the news is to be lost.
    @discardableResult
    func commit(_ name: UInt64, by device: DeviceID = DeviceID(high: 0, low: 0), isLost: Bool = false) async -> UInt64 {
        let revision = journal.commit(to: Self.namespace(name))
        let notice = ChangeNotice(
            namespace: Self.namespace(name), revision: revision, kind: .uploaded, device: device)
        if isLost { bus.lose() } else { await bus.publish(.changed(notice)) }
        return revision.number
    }

    /// Announces files on their way into a namespace that is at a revision.
    func announce(_ name: UInt64, at revision: UInt64, by device: DeviceID) async {
        await bus.publish(
            .changed(
                ChangeNotice(
                    namespace: Self.namespace(name), revision: Revision(revision), kind: .pending, device: device)))
    }

    /// The answer that tells of one namespace.
    static func moved(_ name: UInt64, to revision: UInt64, pending: Bool = false) -> PollReply {
        .moved([MovedNamespace(namespace: namespace(name), revision: Revision(revision), pending: pending)])
    }
}
