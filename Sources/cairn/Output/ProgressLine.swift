import Model
import SyncClient

/// Shows how far a pass is while its body runs: a bar that is redrawn on a terminal, a line every ten seconds elsewhere.
func withProgress<Answer: Sendable>(
    _ client: Client, quiet: Bool, _ body: () async throws -> Answer
) async throws -> Answer {
    if quiet { return try await body() }
    let isTerminal = Terminal.showsProgress
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            var line = ProgressLine()
            while !Task.isCancelled {
                try await Task.sleep(for: isTerminal ? .milliseconds(100) : .seconds(10))
                let text = line.text(client.progress.current, width: isTerminal ? Terminal.width : 0)
                if isTerminal { Terminal.progress(text) } else if !text.isEmpty { Terminal.error(text) }
            }
        }
        let answer = await Result { try await body() }
        group.cancelAll()
        while let finished = await group.nextResult() { _ = finished }
        if isTerminal { Terminal.progress("") }
        return try answer.get()
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

/// Makes the text of a progress bar; keeps what the rate is measured by.
struct ProgressLine {
    private var samples: [(time: ContinuousClock.Instant, bytes: UInt64)] = []
    private let clock = ContinuousClock()

    /// The line for a state of the work; a width of 0 leaves the bar out.
    mutating func text(_ progress: Progress, width: Int) -> String {
        guard progress.phase != .idle else { return "" }
        var parts = [progress.phase.rawValue]
        if progress.filesTotal > 0 { parts.append("\(progress.filesDone)/\(progress.filesTotal) files") }
        if progress.filesTotal == 0, progress.filesDone > 0 { parts.append("\(progress.filesDone) files") }
        if progress.bytesTotal > 0 {
            parts.append("\(ByteWords.text(progress.bytesDone)) of \(ByteWords.text(progress.bytesTotal))")
            let rate = rate(progress.bytesDone)
            if rate > 0 {
                parts.append("\(ByteWords.text(UInt64(rate)))/s")
                let left = Double(progress.bytesTotal - min(progress.bytesDone, progress.bytesTotal)) / rate
                parts.append("ETA \(DurationText.text(Int(left)))")
            }
        }
        let text = parts.joined(separator: "  ")
        guard width > 0 else { return text }
        return String((Self.bar(progress, width: width - text.count - 2) + text).prefix(width - 1))
    }

    /// Bytes in a second, over the last five.
    private mutating func rate(_ bytes: UInt64) -> Double {
        let now = clock.now
        if let last = samples.last, last.bytes > bytes { samples = [] }  // another phase began
        samples.append((now, bytes))
        samples.removeAll { $0.time < now - .seconds(5) }
        guard let first = samples.first, samples.count > 1 else { return 0 }
        let elapsed = (now - first.time) / .seconds(1)
        return elapsed > 0 ? Double(bytes - first.bytes) / elapsed : 0
    }

    private static func bar(_ progress: Progress, width: Int) -> String {
        let width = min(width, 30)
        guard width >= 10, let share = progress.share else { return "" }
        let filled = Int(share * Double(width - 2))
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - 2 - filled) + "]  "
    }
}
