import Foundation
import Metadata
import Model
import StorageLocal

/// The regions that a server's packs lie in: what the database remembers against what the directories say they are.
///
/// An empty directory at the place of a region is most likely the mount point of a disk that is not there. It is never
/// filled by itself: then the copy would lie on the wrong disk, and the server would believe that it has two.
struct RegionSet {
    let database: any MetadataDatabase
    let clock: any WallClock

    /// The region that each directory is. New ones are marked and remembered, as long as none is missed that is
    /// remembered: a directory that is new when another is away is rather that one without its disk.
    /// - Parameters:
    ///   - directories: their paths.
    ///   - isMissingAllowed: whether a directory may be away that is remembered, and not marked: it is then taken for what it
    ///     was, which opens it as soon as its disk is back, and writes nothing to it before.
    /// - Returns: the region that each directory is.
    /// - Throws: ``Failure`` `configuration` naming the directory and what to do.
    func resolve(_ directories: [String], isMissingAllowed: Bool = false) async throws -> [String: RegionID] {
        for (index, directory) in directories.enumerated()
        where directories[..<index].contains(where: { Self.absolute($0) == Self.absolute(directory) }) {
            throw Failure(.usage, "\(directory) is named twice as a region")
        }
        let known = try await database.read { try RegionQueries($0).all() }
        var identities: [String: RegionID] = [:]
        for directory in directories {
            let former = isMissingAllowed ? known.first { $0.path == Self.absolute(directory) } : nil
            guard let id = try mark(of: directory, orElse: former?.id) else { continue }
            if let other = identities.first(where: { $0.value == id }) {
                throw Failure(
                    .configuration,
                    "\(other.key) and \(directory) are the same region, \(id): one is a copy of the other")
            }
            guard known.isEmpty || known.contains(where: { $0.id == id }) else {
                throw Failure(
                    .configuration,
                    "\(directory) is region \(id), which this server does not know: it may be another server's. "
                        + "'cairn-server region add --adopt \(directory)' takes it as it is")
            }
            identities[directory] = id
        }
        let missed = known.filter { !identities.values.contains($0.id) }
        for directory in directories where identities[directory] == nil {
            if !missed.isEmpty { throw Self.refusal(directory, missed) }
            let id = RegionID.random()
            try LocalPackRegion.mark(directory, as: id)
            identities[directory] = id
        }
        try await remember(identities, known)
        return identities
    }

    private func mark(of directory: String, orElse former: RegionID?) throws -> RegionID? {
        guard let former else { return try LocalPackRegion.mark(of: directory) }
        // A disk that fails to be read is as good as away.
        return (try? LocalPackRegion.mark(of: directory)) ?? former
    }

    /// Makes a directory a region although another is missed, in the place of one that is lost.
    /// - Parameters:
    ///   - directory: its path.
    ///   - adopting: whether it may hold packs already, maybe under the mark of another server.
    /// - Returns: the region that it is now.
    /// - Throws: ``Failure``: `usage` when it is a region already, `configuration` for packs that are not adopted.
    func add(_ directory: String, adopting: Bool) async throws -> RegionID {
        let known = try await database.read { try RegionQueries($0).all() }
        let marked = try LocalPackRegion.mark(of: directory)
        if let marked, known.contains(where: { $0.id == marked }) {
            throw Failure(.usage, "\(directory) is a region of this server already: \(marked)")
        }
        if !adopting, try LocalPackRegion.holdsPacks(directory) {
            throw Failure(.configuration, "\(directory) holds packs that may be another server's; --adopt takes them")
        }
        let id = marked ?? .random()
        if marked == nil { try LocalPackRegion.mark(directory, as: id) }
        let record = RegionRecord(id: id, path: Self.absolute(directory), added: clock.now())
        try await database.write { connection in
            // What was at this place is lost: it is not to be missed any more.
            for former in known where former.path == record.path { try RegionQueries(connection).forget(former.id) }
            try RegionQueries(connection).remember(record)
        }
        return id
    }

    /// The path as it is remembered, whatever directory a command is run in.
    static func absolute(_ directory: String) -> String {
        URL(fileURLWithPath: directory).standardizedFileURL.path
    }

    private func remember(_ identities: [String: RegionID], _ known: [RegionRecord]) async throws {
        let now = clock.now()
        let seen = identities.map { RegionRecord(id: $0.value, path: Self.absolute($0.key), added: now) }
        let changed = seen.filter { region in !known.contains { $0.id == region.id && $0.path == region.path } }
        guard !changed.isEmpty else { return }
        try await database.write { connection in
            for region in changed { try RegionQueries(connection).remember(region) }
        }
    }

    private static func refusal(_ directory: String, _ missed: [RegionRecord]) -> Failure {
        let path = absolute(directory)
        let lost = missed.first { $0.path == path } ?? missed[0]
        let place = lost.path == path ? "" : ", last seen at \(lost.path)"
        return Failure(
            .configuration,
            "\(directory) is not a region, and region \(lost.id)\(place) is missing: is its disk mounted? When it is lost, "
                + "'cairn-server region add \(directory)' makes an empty one, which is filled from the others")
    }
}

extension RegionID {
    /// A new id.
    static func random() -> RegionID {
        var generator = SystemRandomNumberGenerator()
        return RegionID(using: &generator)
    }
}
