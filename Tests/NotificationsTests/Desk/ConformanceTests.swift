import Model
import NotificationConformance
import Notifications
import Synchronization
import Testing

/// The driver that waits in tasks, as the API's route uses it.
private final class ServiceDriver: PollDriver {
    private let service: NotificationService
    private let devices = Mutex<UInt64>(0)

    init(_ desk: PollDesk) { service = NotificationService(desk: desk) }

    func makeDevice(seeing namespaces: [NamespaceID]) -> DeviceID {
        Polling.device(
            devices.withLock { devices in
                devices += 1
                return devices
            })
    }

    func poll(device: DeviceID, cursors: [Cursor], timeout: UInt32) -> any OpenPoll {
        let task = Task { [service] in
            try await service.poll(cursors: cursors, device: device, timeout: timeout)
        }
        return TaskPoll(task: task)
    }

    func stop() { #expect(service.parkedCount == 0) }
}

private struct TaskPoll: OpenPoll {
    let task: Task<PollAnswer, any Error>

    func reply() async throws -> PollReply {
        do {
            switch try await task.value {
            case .moved(let moved): return .moved(moved)
            case .revoked: return .revoked
            case .timedOut, .replaced, .closing, .disconnected: return .nothing
            }
        } catch PollError.overloaded {
            return .refused(retryAfter: 5)
        } catch PollError.refused(let seconds) {
            return .refused(retryAfter: seconds)
        }
    }

    func hangUp() async { task.cancel() }
}

@Suite("The driver that waits in tasks")
struct ConformanceTests {
    @Test("does what every driver does", .timeLimit(.minutes(1)), arguments: PollConformance.checks)
    func conformance(check: PollConformance.Check) async throws {
        try await check.run { ServiceDriver($0) }
    }
}
