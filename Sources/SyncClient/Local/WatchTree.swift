import CLinux
import Model

/// Which watch is on which folder, and what an event says of the tree: no system calls, so that every order of events
/// can be tried.
struct WatchTree {
    /// An event as the kernel reports it.
    struct Event: Hashable, Sendable {
        let watch: Int32
        let mask: UInt32
        let cookie: UInt32
        let name: [UInt8]

        func has(_ flag: Int32) -> Bool { mask & UInt32(bitPattern: flag) != 0 }
    }

    /// What is to be done about an event.
    enum Action: Hashable, Sendable {
        /// Names or entries in the folder changed.
        case dirty(LocalPath)
        /// A folder is new here: it and all in it are to be watched.
        case watch(LocalPath)
        /// The watch is on a folder that left the tree.
        case unwatch(Int32)
        /// Events were lost, or the linked folder itself went: nothing is known any more.
        case everything
    }

    private struct Folder {
        var parent: Int32?
        var name: [UInt8]
        var children: [[UInt8]: Int32] = [:]
    }

    private var folders: [Int32: Folder] = [:]
    private var root: Int32?
    /// Folders that left their place and have not turned up at another.
    private var leaving: Set<Int32> = []
    /// Those of them whose move the kernel told of, by its cookie.
    private var moves: [UInt32: Int32] = [:]

    var count: Int { folders.count }

    /// Where the folder of a watch is; nil for a watch that is on nothing in the tree.
    func path(of watch: Int32) -> LocalPath? {
        var names: [[UInt8]] = []
        var current = watch
        while current != root {
            guard let folder = folders[current], let parent = folder.parent else { return nil }
            names.append(folder.name)
            current = parent
        }
        return LocalPath(bytes: Array(names.reversed().joined(separator: [UInt8(ascii: "/")])))
    }

    /// The watch on the folder at a path.
    func watch(at path: LocalPath) -> Int32? {
        var current = root
        for name in path.components { current = current.flatMap { folders[$0]?.children[Array(name)] } }
        return current
    }

    /// Notes that a watch is on the linked folder.
    mutating func insert(root watch: Int32) {
        root = watch
        if folders[watch] == nil { folders[watch] = Folder(parent: nil, name: []) }
    }

    /// Notes that a watch is on a folder within another watched one. The kernel gives one folder one watch, however often
    /// it is asked, so a folder known elsewhere has moved, and one known at this place has left it.
    ///
    /// What is found on the disk is ahead of the events that are still to be read: a folder may be found at a place
    /// before the event that takes its forerunner away from there.
    /// - Returns: Whether the watch is new.
    @discardableResult
    mutating func insert(_ watch: Int32, name: [UInt8], in parent: Int32) -> Bool {
        if watch == root || watch == parent { return false }
        let isNew = folders[watch] == nil
        if let known = folders[watch]?.parent, let name = folders[watch]?.name { detach(name, from: known, watch) }
        if let former = folders[parent]?.children[name], former != watch {
            folders[former]?.parent = nil
            leaving.insert(former)
        }
        leaving.remove(watch)
        if isNew { folders[watch] = Folder(parent: parent, name: name) }
        folders[watch]?.parent = parent
        folders[watch]?.name = name
        folders[parent]?.children[name] = watch
        return isNew
    }

    /// What an event says.
    mutating func handle(_ event: Event) -> [Action] {
        if event.has(Int32(IN_Q_OVERFLOW)) { return [.everything] }
        if event.has(Int32(IN_IGNORED)) {
            forget(event.watch)
            return []
        }
        if event.watch == root, event.mask & Self.rootGone != 0 { return [.everything] }
        guard let path = path(of: event.watch), !LinkedFolder.isReserved(event.name) else { return [] }
        // An event without a name is about the folder itself: its parent's watch reports that too.
        if event.name.isEmpty { return event.has(Int32(IN_UNMOUNT)) ? [.everything] : [] }
        var actions: [Action] = [.dirty(path)]
        if event.has(Int32(bitPattern: UInt32(IN_ISDIR))) { actions += handleFolder(event, path) }
        return actions
    }

    /// Events that say that the linked folder itself is no longer where it was.
    private static let rootGone = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)

    /// The folders that have not turned up again left the tree: their watches go.
    mutating func settleMoves() -> [Action] {
        let left = leaving.sorted()
        leaving = []
        moves = [:]
        return left.flatMap { remove($0).map { .unwatch($0) } }
    }

    private mutating func handleFolder(_ event: Event, _ path: LocalPath) -> [Action] {
        if event.has(Int32(IN_MOVED_FROM)), let child = folders[event.watch]?.children[event.name] {
            detach(event.name, from: event.watch, child)
            folders[child]?.parent = nil
            leaving.insert(child)
            moves[event.cookie] = child
            return []
        }
        if event.has(Int32(IN_MOVED_TO)) {
            if let child = moves.removeValue(forKey: event.cookie), leaving.contains(child) {
                insert(child, name: event.name, in: event.watch)
            }
            // Even a folder known before: what was new in it may have moved before its own watch was set.
            return [.watch(path.appending(event.name))]
        }
        return event.has(Int32(IN_CREATE)) ? [.watch(path.appending(event.name))] : []
    }

    private mutating func detach(_ name: [UInt8], from parent: Int32, _ watch: Int32) {
        if folders[parent]?.children[name] == watch { folders[parent]?.children[name] = nil }
    }

    private mutating func forget(_ watch: Int32) {
        guard let folder = folders.removeValue(forKey: watch) else { return }
        leaving.remove(watch)
        if let parent = folder.parent { detach(folder.name, from: parent, watch) }
        if watch == root { root = nil }
    }

    /// Takes a folder and all below it out. Returns their watches.
    private mutating func remove(_ watch: Int32) -> [Int32] {
        var removed: [Int32] = []
        var waiting = [watch]
        while let next = waiting.popLast() {
            guard let folder = folders[next] else { continue }
            removed.append(next)
            waiting += folder.children.values
            forget(next)
        }
        return removed
    }
}
