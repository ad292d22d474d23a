import Synchronization

/// What a server writes while it runs, and the end of that: tests wait for its words.
package final class ServerLog: Sendable {
    private struct State {
        var text = ""
        var isOver = false
        var waiting: [(word: String, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var text: String { state.withLock { $0.text } }

    package func append(_ more: String) {
        let ready = state.withLock { state in
            state.text += more
            let text = state.text
            defer { state.waiting.removeAll { text.contains($0.word) } }
            return state.waiting.filter { text.contains($0.word) }
        }
        for waiter in ready { waiter.continuation.resume(returning: true) }
    }

    package func end() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.continuation.resume(returning: false) }
    }

    /// Waits until a word was written. False when the server has ended without it.
    package func wait(for word: String) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if state.text.contains(word) { return true }
                if state.isOver { return false }
                state.waiting.append((word, continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Waits until the server has ended.
    package func waitForEnd() async { _ = await wait(for: "\u{0} never written") }
}
