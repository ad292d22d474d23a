import Messaging
import Model
import Synchronization
import Testing

@testable import Notifications

/// Many devices at once on the real service: each follows a namespace by polling again and again, as devices do, and none
/// ever misses the last commit.
@Suite("A crowd of polling devices")
struct CrowdTests {
    /// The heads as a database would tell them.
    private final class Heads: Sendable {
        private let heads = Mutex<[NamespaceID: Revision]>([:])

        func raise(_ namespace: NamespaceID) -> Revision {
            heads.withLock { heads in
                let next = (heads[namespace] ?? .zero).next
                heads[namespace] = next
                return next
            }
        }

        func cursors(_ namespaces: [NamespaceID]) -> [Cursor] {
            heads.withLock { heads in
                namespaces.map { Cursor(namespace: $0, revision: heads[$0] ?? .zero) }
            }
        }
    }

    @Test("every device sees every namespace reach its last revision", arguments: 1...5)
    func everybodyArrives(round: Int) async throws {
        let bus = InProcessChangeBus()
        let heads = Heads()
        let desk = PollDesk(bus: bus) { names in
            await Task.yield()
            return heads.cursors(names)
        }
        let service = NotificationService(desk: desk)
        let reading = Task { await desk.readHeads() }
        defer { reading.cancel() }
        let (devices, commits) = (20, 40)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for device in 0..<devices {
                group.addTask {
                    try await Self.follow(Polling.device(UInt64(device)), to: Revision(UInt64(commits)), service)
                }
            }
            for namespace in 0..<3 {
                group.addTask {
                    for _ in 0..<commits {
                        let id = Polling.namespace(UInt64(namespace))
                        let revision = heads.raise(id)
                        if revision.number % 3 == 0 { await Task.yield() }
                        await bus.publish(Polling.uploaded(UInt64(namespace), to: revision.number))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(service.parkedCount == 0)
    }

    private static func follow(
        _ device: DeviceID, to last: Revision, _ service: NotificationService
    ) async throws {
        var seen: [NamespaceID: Revision] = [:]
        for namespace in 0..<3 { seen[Polling.namespace(UInt64(namespace))] = .zero }
        while seen.values.contains(where: { $0 < last }) {
            let cursors = seen.map { Cursor(namespace: $0.key, revision: $0.value) }
            // The time is never moved on: a lost wake-up would hang the test, not end in a time-out.
            let answer = try await service.poll(cursors: cursors, device: device, timeout: 60)
            guard case .moved(let moved) = answer else { throw Unexpected(answer: answer) }
            for entry in moved {
                #expect(entry.revision > seen[entry.namespace]!, "a poll is not answered with what the device has seen")
                seen[entry.namespace] = entry.revision
            }
        }
    }

    private struct Unexpected: Error {
        let answer: PollAnswer
    }
}
