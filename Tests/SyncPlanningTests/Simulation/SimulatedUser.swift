import Model
import SyncPlanning
import TestSupport

/// What people did to bytes: which were written, and which were removed or written over by someone who had them on the
/// disk before them. The rest must exist for ever.
struct Provenance {
    private(set) var written: Set<NodePayload> = []
    private(set) var released: Set<NodePayload> = []
    private var last: UInt64 = 100

    mutating func write(_ payload: NodePayload) { written.insert(payload) }

    mutating func release(_ payload: NodePayload) { released.insert(payload) }

    /// Bytes that nobody wrote before.
    mutating func fresh() -> UInt64 {
        last += 1
        return last
    }

    /// What must exist.
    var precious: Set<NodePayload> { written.subtracting(released) }
}

/// Someone at a device who does something to its disk.
struct SimulatedUser {
    /// What people do most.
    enum Habit: CaseIterable {
        case everything, movesFolders, writesFiles, tidiesUp, crossesFolders
    }

    private enum Deed {
        case makeFile, makeFolder, write, save, move, moveFolder, removeOne, removeAll, swap, changeKind, setAttributes
    }

    private static let names: [NodeName] = ["a", "b", "c", "d.txt"]
    var generator: SeededGenerator
    let habit: Habit

    init(seed: UInt64, habit: Habit? = nil) {
        generator = SeededGenerator(seed: seed)
        self.habit = habit ?? Habit.allCases.randomElement(using: &generator) ?? .everything
    }

    private var deeds: [Deed] {
        let all: [Deed] = [
            .makeFile, .makeFile, .makeFolder, .write, .save, .move, .moveFolder, .removeOne, .removeAll, .swap,
            .changeKind, .setAttributes,
        ]
        return switch habit {
        case .everything: all
        case .movesFolders: all + [.makeFolder, .makeFolder, .moveFolder, .moveFolder, .moveFolder, .moveFolder, .swap]
        case .writesFiles: all + [.makeFile, .makeFile, .write, .write, .write, .save, .save, .move]
        case .crossesFolders: [.makeFolder, .moveFolder, .moveFolder, .moveFolder, .moveFolder, .swap]
        case .tidiesUp: all + [.removeAll, .removeOne, .changeKind, .makeFolder, .makeFile, .move, .swap]
        }
    }

    /// Does one thing at random. Most names are few, so that devices meet.
    mutating func edit(_ disk: inout SimulatedDisk, _ provenance: inout Provenance) {
        switch deeds.randomElement(using: &generator) {
        case .makeFile, nil: make(&disk, file(&provenance), &provenance)
        case .makeFolder: make(&disk, .folder, &provenance)
        case .write: write(&disk, &provenance)
        case .save: save(&disk, &provenance)
        case .move: move(&disk, where: { _ in true })
        case .moveFolder: move(&disk, where: \.payload.isFolder)
        case .removeOne: removeOne(&disk, &provenance)
        case .removeAll: removeAll(&disk, &provenance)
        case .swap: swap(&disk)
        case .changeKind: changeKind(&disk, &provenance)
        case .setAttributes: setAttributes(&disk)
        }
    }

    private mutating func file(_ provenance: inout Provenance) -> NodePayload {
        // Now and then two write the same bytes, or a link.
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: .file(.bytes(UInt64.random(in: 1...3, using: &generator)))
        case 1: .symlink(target: [UInt8.random(in: 0...250, using: &generator)])
        default: .file(.bytes(provenance.fresh()))
        }
    }

    private mutating func time() -> Timestamp { Timestamp(nanoseconds: Int64.random(in: 0..<50, using: &generator)) }

    private mutating func mode() -> UInt16 { [0o600, 0o644, 0o755].randomElement(using: &generator) ?? 0 }

    private mutating func pick(_ disk: SimulatedDisk, where isWanted: (SimulatedDisk.Object) -> Bool) -> Int? {
        disk.walk.filter { inode in
            guard let object = disk.objects[inode], isWanted(object) else { return false }
            return !disk.isWithin(inode, SimulatedDisk.parking)
        }.randomElement(using: &generator)
    }

    private mutating func freePlace(_ disk: SimulatedDisk) -> SimulatedDisk.Place? {
        let inner = Int.random(in: 0..<4, using: &generator) > 0 ? pick(disk) { $0.payload.isFolder } : nil
        guard let name = Self.names.randomElement(using: &generator) else { return nil }
        let place = SimulatedDisk.Place(parent: inner ?? SimulatedDisk.root, name: name)
        return disk.child(place) == nil ? place : nil
    }

    private mutating func make(_ disk: inout SimulatedDisk, _ payload: NodePayload, _ provenance: inout Provenance) {
        guard let place = freePlace(disk) else { return }
        if !payload.isFolder { provenance.write(payload) }
        disk.make(.init(place: place, payload: payload, mode: mode(), modified: time()))
    }

    private mutating func write(_ disk: inout SimulatedDisk, _ provenance: inout Provenance) {
        guard let inode = pick(disk, where: { !$0.payload.isFolder }), let old = disk.objects[inode] else { return }
        let (payload, time) = (file(&provenance), time())
        provenance.release(old.payload)
        provenance.write(payload)
        disk.change(inode) { ($0.payload, $0.modified) = (payload, time) }
    }

    /// As editors save: a new file takes the place of the old one.
    private mutating func save(_ disk: inout SimulatedDisk, _ provenance: inout Provenance) {
        guard let inode = pick(disk, where: { !$0.payload.isFolder }), let old = disk.objects[inode] else { return }
        let payload = Bool.random(using: &generator) ? old.payload : file(&provenance)
        disk.remove(inode)
        if payload != old.payload { provenance.release(old.payload) }
        provenance.write(payload)
        disk.make(.init(place: old.place, payload: payload, mode: old.mode, modified: time()))
    }

    private mutating func move(_ disk: inout SimulatedDisk, where isWanted: (SimulatedDisk.Object) -> Bool) {
        guard let inode = pick(disk, where: isWanted), let place = freePlace(disk) else { return }
        if !disk.isWithin(place.parent, inode) { disk.move(inode, to: place) }
    }

    private mutating func removeOne(_ disk: inout SimulatedDisk, _ provenance: inout Provenance) {
        guard let inode = pick(disk, where: { !$0.payload.isFolder }) else { return }
        remove(inode, &disk, &provenance)
    }

    private mutating func removeAll(_ disk: inout SimulatedDisk, _ provenance: inout Provenance) {
        guard let inode = pick(disk, where: \.payload.isFolder) else { return }
        remove(inode, &disk, &provenance)
    }

    private func remove(_ inode: Int, _ disk: inout SimulatedDisk, _ provenance: inout Provenance) {
        for child in disk.children(of: inode) { remove(child, &disk, &provenance) }
        if let payload = disk.objects[inode]?.payload { provenance.release(payload) }
        disk.remove(inode)
    }

    private mutating func swap(_ disk: inout SimulatedDisk) {
        guard let first = pick(disk, where: { _ in true }), let second = pick(disk, where: { _ in true }),
            let firstPlace = disk.objects[first]?.place, let secondPlace = disk.objects[second]?.place,
            !disk.isWithin(first, second), !disk.isWithin(second, first)
        else { return }
        disk.move(first, to: .init(parent: SimulatedDisk.root, name: "temporary"))
        disk.move(second, to: firstPlace)
        disk.move(first, to: secondPlace)
    }

    private mutating func changeKind(_ disk: inout SimulatedDisk, _ provenance: inout Provenance) {
        guard let inode = pick(disk, where: { _ in true }), let old = disk.objects[inode] else { return }
        remove(inode, &disk, &provenance)
        let payload = old.payload.isFolder ? file(&provenance) : .folder
        if !payload.isFolder { provenance.write(payload) }
        disk.make(.init(place: old.place, payload: payload, mode: mode(), modified: time()))
    }

    private mutating func setAttributes(_ disk: inout SimulatedDisk) {
        guard let inode = pick(disk, where: { _ in true }) else { return }
        let (mode, time) = (mode(), time())
        disk.change(inode) { ($0.mode, $0.modified) = (mode, time) }
    }
}
