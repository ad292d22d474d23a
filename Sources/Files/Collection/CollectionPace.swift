/// How fast a collection goes: what it waits for between its steps.
public struct CollectionPace: Sendable {
    /// Waits after each transaction.
    let rest: @Sendable () async throws -> Void
    /// Waits after a number of bytes was copied.
    let copied: @Sendable (Int) async throws -> Void

    /// As fast as it can.
    public static let unbounded = CollectionPace(rest: {}, copied: { _ in })

    /// A pace that leaves room for others.
    /// - Parameters:
    ///   - rest: how long it waits after each transaction.
    ///   - bytesPerSecond: how many bytes compaction copies in a second.
    ///   - pause: waits for a duration; what it throws, such as a cancellation, ends the collection.
    /// - Returns: the pace.
    public static func bounded(
        rest: Duration, bytesPerSecond: Int, pause: @escaping @Sendable (Duration) async throws -> Void
    ) -> CollectionPace {
        precondition(bytesPerSecond > 0, "a collection has to get on")
        return CollectionPace(
            rest: { try await pause(rest) },
            copied: { try await pause(.seconds(1) * (Double($0) / Double(bytesPerSecond))) })
    }
}
