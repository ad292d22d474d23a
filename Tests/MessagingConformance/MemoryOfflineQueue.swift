public import Messaging
public import Model
import Synchronization

/// A queue in memory that keeps the contract: the double that use cases are tested with, and the model that backends are
/// compared with. What it holds outlives ``close()``: the same object can stand for storage that is opened again.
public final class MemoryOfflineQueue: OfflineQueueReplica {
    private struct Row {
        var version: Int64
        var number: Int64?
        var since: Timestamp
    }

    private struct Device {
        var last: Int64 = 0
        var epoch: Int64 = 0
        var marked: Int64?
        var removed: Timestamp?
        var rows: [QueueEntry.Key: Row] = [:]

        /// What waits, by number.
        var waiting: [(entry: QueueEntry, number: Int64)] {
            rows.compactMap { key, row in
                row.number.flatMap { number in QueueEntry(key: key, version: row.version).map { ($0, number) } }
            }.sorted { $0.1 < $1.1 }
        }

        var acknowledged: [QueueEntry] {
            rows.filter { $0.value.number == nil }
                .sorted { ($0.key.kind, $0.key.subject.hex) < ($1.key.kind, $1.key.subject.hex) }
                .compactMap { QueueEntry(key: $0.key, version: $0.value.version) }
        }

        mutating func draw() -> Int64 {
            last += 1
            return last
        }

        mutating func raise(_ entries: [QueueEntry], _ bounds: QueueBounds, _ moment: Timestamp) {
            for entry in entries {
                let known = rows[entry.key]
                if let known, known.version >= entry.version { continue }
                let since = known?.number == nil ? moment : known?.since ?? moment
                rows[entry.key] = Row(version: entry.version, number: draw(), since: since)
            }
            if waiting.count > bounds.entries { overflow() }
        }

        mutating func overflow() {
            rows = rows.filter { $0.value.number == nil }
            marked = draw()
        }

        mutating func acknowledge(_ entries: [QueueEntry], _ bounds: QueueBounds) {
            for entry in entries {
                if let known = rows[entry.key], known.version > entry.version { continue }
                rows[entry.key] = Row(version: entry.version, number: nil, since: Timestamp(nanoseconds: 0))
            }
            if acknowledged.count > bounds.remembered { rows = rows.filter { $0.value.number != nil } }
        }
    }

    private struct State {
        var devices: [DeviceID: Device] = [:]
        var epoch: Int64 = 1
        var peerBehind: Int64 = 1

        /// Changes a device that is not removed; one that is not known begins anew.
        mutating func change(_ id: DeviceID, isMarked: Bool = true, _ body: (inout Device, Bool) -> Void) {
            var device = devices[id] ?? Device()
            if device.removed != nil { return }
            let isNew = device.epoch < epoch
            if isNew {
                device.rows = [:]
                device.epoch = epoch
                device.marked = isMarked ? device.draw() : nil
            }
            body(&device, isNew)
            devices[id] = device
        }
    }

    private let identity: QueueID
    private let bounds: QueueBounds
    private let state = Mutex(State())

    /// Makes an empty queue.
    public init(identity: QueueID, bounds: QueueBounds = QueueBounds()) {
        self.identity = identity
        self.bounds = bounds
    }

    /// Adds entries.
    public func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        state.withLock { state in
            for (id, group) in Dictionary(grouping: additions, by: \.device) {
                state.change(id) { device, _ in device.raise(group.map(\.entry), bounds, moment) }
            }
        }
    }

    /// What waits for a device.
    public func entries(of id: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        state.withLock { state in
            let device = state.devices[id] ?? Device()
            if device.removed != nil { return .nothing }
            if device.epoch < state.epoch {
                let position = QueuePosition(queue: identity, epoch: state.epoch, number: device.last)
                return QueueDelivery(entries: [], position: position, readFromCursor: true)
            }
            let waiting = Array(device.waiting.prefix(limit))
            let mark = waiting.count < limit ? device.marked ?? 0 : 0
            let number = max(mark, waiting.last?.number ?? 0)
            if number == 0 { return .nothing }
            return QueueDelivery(
                entries: waiting.map(\.entry),
                position: QueuePosition(queue: identity, epoch: state.epoch, number: number),
                readFromCursor: device.marked != nil)
        }
    }

    /// Takes away what a delivery told.
    @discardableResult
    public func acknowledge(_ position: QueuePosition, by id: DeviceID) async throws -> [QueueEntry] {
        state.withLock { state in
            guard position.queue == identity, position.epoch == state.epoch else { return [] }
            let known = state.devices[id] ?? Device()
            if known.epoch < state.epoch, position.number < known.last { return [] }
            var told: [QueueEntry] = []
            state.change(id, isMarked: false) { device, _ in
                told = device.waiting.filter { $0.number <= position.number }.map(\.entry)
                device.acknowledge(told, bounds)
                if let marked = device.marked, marked <= position.number { device.marked = nil }
            }
            return told
        }
    }

    /// Ends the queues of devices.
    public func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {
        state.withLock { state in
            for id in devices where state.devices[id]?.removed == nil {
                state.devices[id, default: Device()].removed = moment
                state.devices[id]?.rows = [:]
            }
        }
    }

    /// Marks the devices of which an entry waits for too long.
    @discardableResult
    public func expire(before moment: Timestamp) async throws -> Int {
        state.withLock { state in
            state.devices = state.devices.filter { $0.value.removed.map { $0 >= moment } ?? true }
            let old = state.devices.filter { device in
                device.value.rows.values.contains { $0.number != nil && $0.since < moment }
            }
            for (id, device) in old {
                // One that was forgotten is marked as it is.
                if device.epoch < state.epoch { state.devices[id]?.rows = [:] } else { state.devices[id]?.overflow() }
            }
            return old.count
        }
    }

    /// How much it holds.
    public func depth() async throws -> QueueDepth {
        state.withLock { state in
            let waiting = state.devices.values.map(\.waiting.count).filter { $0 > 0 }
            let marked = state.devices.values.filter {
                $0.removed == nil && ($0.marked != nil || $0.epoch < state.epoch)
            }
            return QueueDepth(entries: waiting.reduce(0, +), devices: waiting.count, marked: marked.count)
        }
    }

    /// Does nothing.
    public func close() async throws {}

    /// Notes what was acknowledged elsewhere.
    public func settle(_ settled: [QueueAddition]) async throws {
        state.withLock { state in
            for (id, group) in Dictionary(grouping: settled, by: \.device)
            where state.devices[id]?.epoch == state.epoch {
                state.change(id) { device, _ in device.acknowledge(group.map(\.entry), bounds) }
            }
        }
    }

    /// Begins anew.
    public func forget() async throws -> Int64 {
        state.withLock { state in
            state.epoch += 1
            return state.epoch
        }
    }

    /// What is known of the devices after one.
    public func page(after id: DeviceID?, atMost limit: Int) async throws -> [QueuedDevice] {
        state.withLock { state in
            state.devices.filter { device in
                (id.map { device.key > $0 } ?? true)
                    && (device.value.epoch == state.epoch || device.value.removed != nil)
            }
            .sorted { $0.key < $1.key }.prefix(limit).map { id, device in
                if let removed = device.removed { return QueuedDevice(device: id, removed: removed) }
                return QueuedDevice(
                    device: id, waiting: device.waiting.map(\.entry), acknowledged: device.acknowledged,
                    isMarked: device.marked != nil)
            }
        }
    }

    /// Takes over what another replica knows.
    public func adopt(_ devices: [QueuedDevice], forgotten: Int64, at moment: Timestamp) async throws {
        guard state.withLock({ $0.epoch == forgotten }) else { return }
        for other in devices {
            if let removed = other.removed { try await remove([other.device], at: removed) }
        }
        state.withLock { state in
            guard state.epoch == forgotten else { return }
            for other in devices where other.removed == nil {
                state.change(other.device, isMarked: other.isMarked) { device, isNew in
                    if other.isMarked, !isNew { device.marked = device.draw() }
                    device.acknowledge(other.acknowledged, bounds)
                    device.raise(other.waiting, bounds, moment)
                }
            }
        }
    }

    /// The newest term of which was noted that the other replica is behind.
    public func peerBehindSince() async throws -> Int64 { state.withLock { $0.peerBehind } }

    /// Notes that the other replica is behind.
    public func notePeerBehind(_ term: Int64) async throws {
        state.withLock { $0.peerBehind = max($0.peerBehind, term) }
    }

    /// Notes that the other replica has everything.
    public func notePeerCaughtUp(_ term: Int64) async throws {
        state.withLock { if $0.peerBehind <= term { $0.peerBehind = 0 } }
    }
}
