/// Wakes the readers of a desk. A ring that nobody waits for is kept, and any number of them count as one.
struct DeskBells: Sendable {
    private typealias Bell = (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

    private let readers: [Bell]
    private let gap: Bell

    init(readers: Int) {
        self.readers = (0..<readers).map { _ in Self.bell() }
        gap = Self.bell()
    }

    private static func bell() -> Bell { AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// What a reader waits for.
    func rings(for reader: Int) -> AsyncStream<Void> { readers[reader].stream }

    /// What tells that news went missing.
    var gaps: AsyncStream<Void> { gap.stream }

    func ring(_ reader: Int) { readers[reader].continuation.yield() }

    func ringForGap() { gap.continuation.yield() }
}
