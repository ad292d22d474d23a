public import Model
import Synchronization

/// The heads as a database would tell them, and a database that can fail.
public final class PollJournal: Sendable {
    /// What a reading throws while the journal is broken.
    public struct Broken: Error {}

    private struct State {
        var heads: [NamespaceID: Revision] = [:]
        var failures = 0
        var largest = 0
    }

    private let state = Mutex(State())

    /// Makes a journal in which every namespace is at revision 0.
    public init() {}

    /// Adds a commit; the revision it made.
    @discardableResult
    public func commit(to namespace: NamespaceID) -> Revision {
        state.withLock { state in
            let next = (state.heads[namespace] ?? .zero).next
            state.heads[namespace] = next
            return next
        }
    }

    /// Lets the next readings fail.
    public func fail(times count: Int) { state.withLock { $0.failures = count } }

    /// The most namespaces that were asked for in one reading.
    public var largestReading: Int { state.withLock { $0.largest } }

    /// Reads heads; namespaces without a commit are left out.
    /// - Throws: ``Broken``.
    public func heads(of namespaces: [NamespaceID]) throws -> [Cursor] {
        try state.withLock { state throws in
            state.largest = max(state.largest, namespaces.count)
            if state.failures > 0 {
                state.failures -= 1
                throw Broken()
            }
            return namespaces.compactMap { namespace in
                state.heads[namespace].map { Cursor(namespace: namespace, revision: $0) }
            }
        }
    }
}
