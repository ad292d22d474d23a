import Synchronization

/// One source of randomness for many tasks.
final class LockedGenerator: Sendable {
    private let generator: Mutex<any RandomNumberGenerator & Sendable>

    init(_ generator: any RandomNumberGenerator & Sendable) {
        self.generator = Mutex(generator)
    }

    /// Draws something.
    func draw<Drawn: Sendable>(_ body: (inout any RandomNumberGenerator & Sendable) -> Drawn) -> Drawn {
        generator.withLock { body(&$0) }
    }
}
