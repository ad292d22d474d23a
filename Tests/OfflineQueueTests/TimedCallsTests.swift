import MessagingConformance
import Synchronization
import Testing

@testable import Messaging

@Suite("Calls that may hang", .timeLimit(.minutes(1)))
struct TimedCallsTests {
    /// Calls that wait until a test lets them go.
    private final class Door: Sendable {
        private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

        var waitingCount: Int { state.withLock { $0.waiting.count } }

        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    private struct Failure: Error, Equatable {}

    @Test("an answer in time is given, and so is an error")
    func answers() async throws {
        let calls = TimedCalls(limit: 1, pause: Pauses.endless)
        #expect(try await calls.perform(within: .seconds(1)) { 7 } == 7)
        await #expect(throws: Failure()) { try await calls.perform(within: .seconds(1)) { throw Failure() } }
        // Both have made room again.
        #expect(try await calls.perform(within: .seconds(1)) { 8 } == 8)
    }

    @Test("a call that hangs is given up; it ends by itself, and then makes room")
    func hanging() async throws {
        let door = Door()
        let calls = TimedCalls(limit: 1) { [door] _ in
            while door.waitingCount == 0 { await Task.yield() }
        }
        await #expect(throws: QueueError(.timedOut, "")) {
            try await calls.perform(within: .seconds(1)) { await door.pass() }
        }
        await #expect(throws: QueueError(.overloaded, "")) { try await calls.perform(within: .seconds(1)) { 1 } }
        door.open()
        var answer: Int?
        while answer == nil { answer = try? await calls.perform(within: .seconds(1)) { 1 } }
        #expect(answer == 1)
    }

    @Test("past the bound calls fail at once")
    func overloaded() async throws {
        let door = Door()
        let calls = TimedCalls(limit: 3, pause: Pauses.endless)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { try await calls.perform(within: .seconds(1)) { await door.pass() } } }
            while door.waitingCount < 3 { await Task.yield() }
            await #expect(throws: QueueError(.overloaded, "")) { try await calls.perform(within: .seconds(1)) { 1 } }
            door.open()
            try await group.waitForAll()
        }
    }
}
