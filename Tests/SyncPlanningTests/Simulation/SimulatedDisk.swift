import Model
import SyncPlanning

/// A file system in memory: objects with inode numbers, in folders.
struct SimulatedDisk {
    struct Place: Hashable {
        var parent: Int
        var name: NodeName
    }

    struct Object {
        var place: Place
        var payload: NodePayload
        var mode: UInt16
        var modified: Timestamp
    }

    static let root = 0
    /// The folder outside of the tree where steps park what is in the way.
    static let parking = -1

    private(set) var objects: [Int: Object] = [:]
    private var entries: [Place: Int] = [:]
    private var nextInode = 1
    private var ticks: Int64 = 0

    /// All inodes, in order.
    var inodes: [Int] { objects.keys.sorted() }

    func child(_ place: Place) -> Int? { entries[place] }

    func children(of parent: Int) -> [Int] { inodes.filter { objects[$0]?.place.parent == parent } }

    func isFolder(_ inode: Int) -> Bool {
        inode == Self.root || inode == Self.parking || objects[inode]?.payload.isFolder == true
    }

    /// Whether an object is in a folder or in one below it, or is that folder.
    func isWithin(_ inode: Int, _ folder: Int) -> Bool {
        var next = inode
        while next > 0 {
            if next == folder { return true }
            guard let object = objects[next] else { return false }
            next = object.place.parent
        }
        return next == folder
    }

    /// Makes an object at a free place.
    @discardableResult mutating func make(_ object: Object) -> Int {
        precondition(entries[object.place] == nil && isFolder(object.place.parent), "the place is taken or nowhere")
        let inode = nextInode
        nextInode += 1
        objects[inode] = object
        entries[object.place] = inode
        touch(object.place.parent)
        return inode
    }

    /// Moves an object to a free place that is not within it.
    mutating func move(_ inode: Int, to place: Place) {
        guard var object = objects[inode] else { preconditionFailure("moved what is not there") }
        precondition(entries[place] == nil && isFolder(place.parent), "the place is taken or nowhere")
        precondition(!isWithin(place.parent, inode), "moved into itself")
        entries[object.place] = nil
        touch(object.place.parent)
        object.place = place
        objects[inode] = object
        entries[place] = inode
        touch(place.parent)
    }

    /// The time of a folder changes with every entry.
    private mutating func touch(_ folder: Int) {
        ticks += 1
        objects[folder]?.modified = Timestamp(nanoseconds: 1_000_000 + ticks)
    }

    /// Changes what an object is, in place.
    mutating func change(_ inode: Int, _ body: (inout Object) -> Void) {
        guard var object = objects[inode] else { preconditionFailure("changed what is not there") }
        let place = object.place
        body(&object)
        precondition(object.place == place, "a change is no move")
        objects[inode] = object
    }

    /// Removes a file, link or empty folder.
    mutating func remove(_ inode: Int) {
        precondition(children(of: inode).isEmpty, "removed a folder with something in it")
        guard let object = objects.removeValue(forKey: inode) else { preconditionFailure("removed what is not there") }
        entries[object.place] = nil
        touch(object.place.parent)
    }

    /// All inodes of the tree and of the parking area, folders before what is in them.
    var walk: [Int] {
        var byParent: [Int: [Int]] = [:]
        for inode in inodes { byParent[objects[inode]?.place.parent ?? 0, default: []].append(inode) }
        var result: [Int] = []
        var next = [Self.parking, Self.root]
        while let folder = next.popLast() {
            let children = byParent[folder] ?? []
            result += children
            next += children
        }
        return result
    }
}

/// What a device and the server must have in common in the end: path to what is there.
typealias TreePicture = [[NodeName]: String]

extension SimulatedDisk {
    /// The tree by path, with what means something to every device.
    var picture: TreePicture {
        var picture: TreePicture = [:]
        for inode in walk {
            guard let object = objects[inode] else { continue }
            var path = [object.place.name]
            var parent = object.place.parent
            while let folder = objects[parent] {
                path.insert(folder.place.name, at: 0)
                parent = folder.place.parent
            }
            if parent == Self.parking { path.insert(parkingName, at: 0) }
            picture[path] = describe(object.payload, object.mode, object.modified)
        }
        return picture
    }
}

extension SimulatedServer {
    /// The tree by path.
    var picture: TreePicture {
        var picture: TreePicture = [:]
        for record in nodes.values {
            var path = [record.state.name]
            var parent = record.state.parent
            while let folder = nodes[parent] {
                path.insert(folder.state.name, at: 0)
                parent = folder.state.parent
            }
            picture[path] = describe(record.state.payload, record.state.mode, record.state.modified)
        }
        return picture
    }
}

private let parkingName: NodeName = "PARKED"

private func describe(_ payload: NodePayload, _ mode: UInt16, _ modified: Timestamp) -> String {
    switch payload {
    case .folder: "folder \(mode)"
    case .file(let content): "file \(content.size) \(mode) \(modified.nanoseconds)"
    case .symlink(let target): "link \(target)"
    }
}
