import Model

/// The keys of a region's objects.
struct RegionKeys: Hashable, Sendable {
    /// What all keys begin with: empty, or with a slash at its end.
    let prefix: String

    init(prefix: String) {
        self.prefix = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/"
    }

    /// How the keys of all packs begin.
    var packs: String { prefix + "packs/" }
    /// What the readiness check writes.
    var probe: String { prefix + "probe" }
    /// Says which region this is.
    var mark: String { prefix + "region" }

    /// One pack. Ids are drawn at random, so the keys spread evenly by themselves.
    func pack(_ id: PackID) -> String { packs + id.hex }

    /// The pack of a key; nil when it is none.
    func pack(ofKey key: String) -> PackID? {
        guard key.hasPrefix(packs), key.utf8.count == packs.utf8.count + 32 else { return nil }
        let id = PackID(hex: String(key.dropFirst(packs.count)))
        return id.flatMap { pack($0) == key ? $0 : nil }
    }

    /// Bytes that are kept under a name.
    func note(_ name: String) -> String { prefix + "notes/" + name }

    /// How the keys of all notes of a kind begin.
    func repairs(_ task: RepairNote.Task) -> String { prefix + "repairs/\(task.rawValue)/" }

    /// What a region lacks, one object each.
    func repair(_ note: RepairNote) -> String { repairs(note.task) + note.region + "/" + note.pack.hex }

    /// The note of a key; nil when it is none.
    func repair(ofKey key: String, _ task: RepairNote.Task) -> RepairNote? {
        let parts = key.dropFirst(repairs(task).count).split(separator: "/", omittingEmptySubsequences: false)
        guard key.hasPrefix(repairs(task)), parts.count == 2, let pack = PackID(hex: String(parts[1])) else {
            return nil
        }
        return RepairNote(task: task, region: String(parts[0]), pack: pack)
    }
}

/// What has to be done with one pack in one region.
struct RepairNote: Hashable, Sendable {
    /// The kinds; the raw values stand in keys.
    enum Task: String, Hashable, Sendable, CaseIterable {
        /// It is missing there, or not to be trusted.
        case copy
        /// It was removed elsewhere and has to go there too.
        case remove
    }

    let task: Task
    let region: String
    let pack: PackID
}
