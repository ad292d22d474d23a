import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

/// A queue in memory that says what it was asked.
private final class MemoryQueue: QueueServer {
    private let listing: QueueListing
    private let acknowledged = Mutex<[String]>([])
    private let isReachable: Bool

    init(_ listing: QueueListing, isReachable: Bool = true) {
        self.listing = listing
        self.isReachable = isReachable
    }

    var positions: [String] { acknowledged.withLock { $0 } }

    func queue() async throws -> QueueListing {
        guard isReachable else { throw ClientError(.unreachable, "by plan") }
        return listing
    }

    func acknowledgeQueue(_ position: String) async throws { acknowledged.withLock { $0.append(position) } }
}

@Suite("What a device does with its queue when it comes back")
struct QueueWatchTests {
    let server = MemoryServer()

    private func watch(_ queue: MemoryQueue, _ device: TestDevice, _ inbox: WatchInbox) async throws -> QueueWatch {
        let link = try await device.linkID()
        return QueueWatch(context: device.context(), server: queue, listeners: [.init(link: link, inbox: inbox)])
    }

    /// Whether a pass is due, that fetches.
    private func fetches(_ inbox: WatchInbox) async -> Bool {
        inbox.note(WatchBatch(folders: [.root]))
        return await inbox.nextPass()?.fetches ?? false
    }

    private func moved(_ revision: UInt64, _ position: String? = "p") -> QueueListing {
        QueueListing(
            entries: [.init(namespace: server.namespace.hex, revision: revision)], position: position,
            readFromCursor: false)
    }

    @Test("what it has already is acknowledged at once, and fetched no more")
    func known() async throws {
        let device = try TestDevice("a", server)
        try device.write("file", "text")
        try await device.sync()
        let (queue, inbox) = (MemoryQueue(moved(1)), WatchInbox())
        try await watch(queue, device, inbox).catchUp()
        #expect(queue.positions == ["p"])
        #expect(await !fetches(inbox))
    }

    @Test("a link that is behind is told to fetch; only when it has is the queue acknowledged", .timeLimit(.minutes(1)))
    func behind() async throws {
        let (device, other) = (try TestDevice("a", server), try TestDevice("b", server))
        try await device.sync()
        try other.write("file", "text")
        try await other.sync()
        let (queue, inbox) = (MemoryQueue(moved(server.head.revision.number)), WatchInbox())
        let watch = try await watch(queue, device, inbox)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.catchUp() }
            #expect(await inbox.nextPass()?.fetches == true)
            #expect(queue.positions.isEmpty)
            try await device.sync()
            try await group.waitForAll()
        }
        #expect(queue.positions == ["p"])
        #expect(device.read("file") == "text")
    }

    @Test("told to read from its cursor, every link fetches")
    func readFromCursor() async throws {
        let device = try TestDevice("a", server)
        try await device.sync()
        let listing = QueueListing(entries: [], position: nil, readFromCursor: true)
        let (queue, inbox) = (MemoryQueue(listing), WatchInbox())
        try await watch(queue, device, inbox).catchUp()
        #expect(queue.positions.isEmpty)
        #expect(await fetches(inbox))
    }

    @Test("namespaces that no link follows, events, and what can't be read are passed over")
    func others() async throws {
        let device = try TestDevice("a", server)
        try await device.sync()
        let listing = QueueListing(
            entries: [
                .init(namespace: NamespaceID(high: 1, low: 1).hex, revision: 900),
                .init(namespace: "nonsense", revision: 900),
                .init(
                    event: "share_offered", subject: NamespaceID(high: 1, low: 2).hex, moment: "2026-01-02T03:04:05Z"),
            ], position: "q", readFromCursor: false)
        let (queue, inbox) = (MemoryQueue(listing), WatchInbox())
        try await watch(queue, device, inbox).catchUp()
        #expect(queue.positions == ["q"])
        #expect(await !fetches(inbox))
    }

    @Test("a queue that can't be read is an error of this service, which does not end the watching")
    func unreachable() async throws {
        let device = try TestDevice("a", server)
        try await device.sync()
        let queue = MemoryQueue(moved(1), isReachable: false)
        let watch = try await watch(queue, device, WatchInbox())
        await #expect(throws: ClientError.self) { try await watch.catchUp() }
        #expect(queue.positions.isEmpty)
    }
}
