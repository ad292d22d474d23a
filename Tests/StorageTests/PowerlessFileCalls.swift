import Glibc
import StorageLocal
import Synchronization
import TestSupport

/// Real files on a disk that forgets, when the power goes, what was not synced.
///
/// It knows of each file the bytes of its last sync, and of each folder the entries of its last sync. A power cut puts
/// the real files into one of the states that a disk may be in afterwards: each unsynced sector is there or is not,
/// each unsynced folder shows its old entries or its new ones. It also makes calls fail and writes come out short.
final class PowerlessFileCalls: FileCalls {
    struct Faults: Sendable {
        /// Error numbers that the next calls of a name fail with.
        var failures: [String: [Int32]] = [:]
        /// The most bytes that one write takes; nil for all.
        var shortWrites: Int?
        /// How many bytes may still be written before the disk is full.
        var room: Int?
        /// How many calls are left before the power goes.
        var callsLeft: Int?
    }

    fileprivate struct Node: Sendable {
        var synced: [UInt8] = []
        var isDirty = false
    }

    fileprivate struct State: Sendable {
        var faults = Faults()
        var hasPower = true
        var generator: SeededGenerator
        /// The path that each open file was opened by.
        var paths: [Int32: String] = [:]
        /// What each path leads to now, and after the last sync of its folder.
        var live: [String: Int] = [:]
        var durable: [String: Int] = [:]
        var nodes: [Int: Node] = [:]
        var nextNode = 0
        var counts: [String: Int] = [:]
    }

    private let real = LinuxFileCalls()
    private let state: Mutex<State>

    init(seed: UInt64) {
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
    }

    var faults: Faults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// How often a call was made.
    func count(_ call: String) -> Int { state.withLock { $0.counts[call] ?? 0 } }

    func open(_ path: String, _ flags: Int32) throws(SystemCallFailure) -> Int32 {
        let isNew = flags & O_CREAT != 0 && access(path, F_OK) != 0
        if isNew { try begin("open") }
        let file = try real.open(path, flags)
        state.withLock { state in
            state.paths[file] = path
            if isNew {
                state.live[path] = state.nextNode
                state.nodes[state.nextNode] = Node()
                state.nextNode += 1
            } else if flags & O_TRUNC != 0, let node = state.live[path] {
                state.nodes[node]?.isDirty = true
            }
        }
        return file
    }

    func close(_ file: Int32) {
        state.withLock { _ = $0.paths.removeValue(forKey: file) }
        real.close(file)
    }

    func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemCallFailure) -> Int {
        let isCut = try begin("pwrite")
        var count = min(bytes.count, faults.shortWrites ?? bytes.count)
        if let room = faults.room {
            count = min(count, room)
            if count == 0 { throw SystemCallFailure("pwrite", errno: ENOSPC) }
            faults.room = room - count
        }
        let written = try real.write(file, UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
        touch(file)
        if isCut { throw SystemCallFailure("pwrite", errno: EIO) }
        return written
    }

    func syncData(_ file: Int32) throws(SystemCallFailure) { try flush(file, "fdatasync") }

    func sync(_ file: Int32) throws(SystemCallFailure) { try flush(file, "fsync") }

    func truncate(_ file: Int32, to size: UInt64) throws(SystemCallFailure) {
        let isCut = try begin("ftruncate")
        try real.truncate(file, to: size)
        touch(file)
        if isCut { throw SystemCallFailure("ftruncate", errno: EIO) }
    }

    func rename(_ old: String, _ new: String) throws(SystemCallFailure) {
        let isCut = try begin("rename")
        try real.rename(old, new)
        state.withLock { $0.live[new] = $0.live.removeValue(forKey: old) }
        if isCut { throw SystemCallFailure("rename", errno: EIO) }
    }

    func unlink(_ path: String) throws(SystemCallFailure) {
        try begin("unlink")
        try real.unlink(path)
        state.withLock { _ = $0.live.removeValue(forKey: path) }
    }

    func makeFolder(_ path: String) throws(SystemCallFailure) {
        try begin("mkdir")
        try real.makeFolder(path)
    }

    /// Counts a call and fails it when that is planned; answers whether the power goes within it.
    @discardableResult
    private func begin(_ call: String) throws(SystemCallFailure) -> Bool {
        let (error, isCut) = state.withLock { state -> (Int32?, Bool) in
            state.counts[call, default: 0] += 1
            if !state.hasPower { return (EIO, false) }
            if state.faults.failures[call]?.isEmpty == false {
                return (state.faults.failures[call]?.removeFirst(), false)
            }
            guard let left = state.faults.callsLeft else { return (nil, false) }
            state.faults.callsLeft = left - 1
            if left > 0 { return (nil, false) }
            state.hasPower = false
            return (nil, true)
        }
        if let error { throw SystemCallFailure(call, errno: error) }
        return isCut
    }

    private func touch(_ file: Int32) {
        state.withLock { state in
            guard let node = state.paths[file].flatMap({ state.live[$0] }) else { return }
            state.nodes[node]?.isDirty = true
        }
    }

    private func flush(_ file: Int32, _ call: String) throws(SystemCallFailure) {
        // A sync within which the power goes has not happened, or only in part: that is the same as not at all here.
        if try begin(call) { throw SystemCallFailure(call, errno: EIO) }
        guard let path = state.withLock({ $0.paths[file] }) else { return }
        state.withLock { state in
            if let node = state.live[path] {
                state.nodes[node] = Node(synced: (try? readFile(path)) ?? [])
            } else {
                for entry in Set(state.live.keys).union(state.durable.keys) where folder(of: entry) == path {
                    state.durable[entry] = state.live[entry]
                }
            }
        }
    }

    /// Forgets what was not synced, by chance, and gives the power back. All files must be closed by then.
    func restart() throws {
        try state.withLock { state in
            state.faults = Faults()
            state.hasPower = true
            var images: [Int: [UInt8]] = [:]
            for (path, node) in state.live.sorted(by: { $0.key < $1.key }) {
                images[node] = state.survivor(of: node, now: try readFile(path))
            }
            var after: [String: Int] = [:]
            let folders = Set(state.live.keys.map(folder)).union(state.durable.keys.map(folder))
            for one in folders.sorted() {
                // The entries of a folder are kept in a journal: all changes since the last sync are there, or none.
                let source = Bool.random(using: &state.generator) ? state.live : state.durable
                for (path, node) in source where folder(of: path) == one { after[path] = node }
            }
            for path in state.live.keys where after[path] == nil { _ = Glibc.unlink(path) }
            for (path, node) in after {
                let bytes = images[node] ?? state.nodes[node]?.synced ?? []
                try writeFile(path, bytes)
                state.nodes[node] = Node(synced: bytes)
            }
            state.live = after
            state.durable = after
        }
    }
}

/// The folder around a path.
private func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
}

extension PowerlessFileCalls.State {
    /// What is left of a file: its synced bytes, and of the rest by chance each sector of 512 bytes.
    fileprivate mutating func survivor(of node: Int, now: [UInt8]) -> [UInt8] {
        guard let known = nodes[node], known.isDirty else { return now }
        let sizes = [known.synced.count, now.count]
        var image = [UInt8](
            repeating: 0, count: Int.random(in: (sizes.min() ?? 0)...(sizes.max() ?? 0), using: &generator))
        for start in stride(from: 0, to: image.count, by: 512) {
            let takesNew = Bool.random(using: &generator)
            for place in start..<min(start + 512, image.count) {
                let source = takesNew ? now : known.synced
                if place < source.count { image[place] = source[place] }
            }
        }
        return image
    }
}
