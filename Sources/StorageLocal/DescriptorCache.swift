import Model
import Synchronization

/// Keeps the files of the packs that were read last open; bounded, the longest unused goes first.
final class DescriptorCache: Sendable {
    private struct Slot: Sendable {
        let file: OpenFile
        var used: UInt64
    }

    private struct State: Sendable {
        var slots: [PackID: Slot] = [:]
        var clock: UInt64 = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// The file of a pack, opened when it is not at hand. O(capacity) when one has to go.
    func file(of pack: PackID, open: () throws -> OpenFile) rethrows -> OpenFile {
        let cached = state.withLock { state -> OpenFile? in
            state.clock += 1
            state.slots[pack]?.used = state.clock
            return state.slots[pack]?.file
        }
        if let cached { return cached }
        // Outside the lock: two readers may open the same file, and one of the two descriptors is closed again.
        let file = try open()
        state.withLock { state in
            if state.slots.count >= capacity, let oldest = state.slots.min(by: { $0.value.used < $1.value.used }) {
                state.slots[oldest.key] = nil
            }
            state.slots[pack] = Slot(file: file, used: state.clock)
        }
        return file
    }

    /// Forgets a pack.
    func drop(_ pack: PackID) {
        state.withLock { _ = $0.slots.removeValue(forKey: pack) }
    }

    /// Forgets everything.
    func dropAll() {
        state.withLock { $0.slots = [:] }
    }

    /// How many files are open.
    var count: Int { state.withLock { $0.slots.count } }
}
