public import Model
import Synchronization

/// A source of randomness that all use cases of a process share.
///
/// Tokens and salts come from it, so outside of tests it must be fit for secrets.
public final class Randomness: Sendable {
    private struct State: Sendable {
        var generator: any RandomNumberGenerator & Sendable
    }

    private let state: Mutex<State>

    /// Makes a source of a generator.
    public init(_ generator: any RandomNumberGenerator & Sendable) {
        state = Mutex(State(generator: generator))
    }

    /// A new identifier.
    public func identifier<Kind>() -> Identifier<Kind> {
        state.withLock { Identifier(using: &$0.generator) }
    }

    /// As many bytes as asked for.
    public func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in
            var bytes: [UInt8] = []
            while bytes.count < count { bytes += [UInt8](bigEndian: state.generator.next()) }
            return Array(bytes.prefix(count))
        }
    }
}
