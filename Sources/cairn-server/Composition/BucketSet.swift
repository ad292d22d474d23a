import Logging
import Metadata
import Model
import Storage
import StorageS3

/// The buckets that hold a server's packs: what the database remembers against what the buckets say they are.
///
/// Each bears a mark as a directory does (see ``RegionSet``). A bucket without one, where one with a mark is missed, is most
/// likely not the one that was meant, and is not written to.
struct BucketSet {
    let database: any MetadataDatabase
    let clock: any WallClock
    let log: Logger

    /// How a region that is a bucket is remembered: by its name, which stays, unlike its address.
    private static let scheme = "s3:"

    /// The same of one name.
    static func path(of name: String) -> String { scheme + name }

    /// How often and how soon it is looked again whether another process has remembered a region that it has just marked.
    private static let looks = 10
    private static let pause = Duration.milliseconds(200)

    /// How a bucket is remembered.
    static func place(_ region: S3RegionConfiguration) -> String { scheme + region.name }

    /// Whether a remembered place is a bucket.
    static func isBucket(_ path: String) -> Bool { path.hasPrefix(scheme) }

    /// The regions, each with the mark that it has to bear from now on. New ones are marked and remembered, as long as
    /// none is missed that is remembered. One that can't be reached is taken for what it was.
    /// - Throws: ``Failure`` `configuration` naming the region and what to do, `unavailable` for a new one that can't be
    ///   reached.
    func resolve(_ regions: [S3RegionConfiguration]) async throws -> [S3RegionConfiguration] {
        var known = try await self.known()
        var resolved = regions
        var unmarked: [Int] = []
        for (index, region) in regions.enumerated() {
            let path = Self.place(region)
            let former = known.first { $0.path == path }
            switch try await Self.mark(of: region) {
            case .failure(let error):
                guard let former else {
                    throw Failure(.unavailable, "region \(region.name) is new, and can't be reached: \(error)")
                }
                log.error("a region can't be reached", metadata: ["region": "\(region.name)", "cause": "\(error)"])
                resolved[index].identity = former.id
            case .success(nil): unmarked.append(index)
            case .success(let id?):
                if !known.isEmpty, !known.contains(where: { $0.id == id }) { known = try await self.known(until: id) }
                try ensure(id, is: region, known, former)
                resolved[index].identity = id
            }
        }
        try ensureDifferent(resolved)
        let missed = known.filter { region in !resolved.contains { $0.identity == region.id } }
        for index in unmarked {
            if let lost = missed.first { throw Self.refusal(regions[index], missed, lost) }
            resolved[index].identity = try await Self.newMark(of: regions[index])
        }
        try ensureDifferent(resolved)
        try await remember(resolved, known)
        return resolved
    }

    // MARK: Marks

    /// The mark that a bucket bears, or why it can't be read.
    /// - Throws: `S3ConfigurationError`.
    static func mark(of region: S3RegionConfiguration) async throws -> Result<RegionID?, StorageError> {
        do {
            return .success(try await with(region) { try await $0.mark() })
        } catch let error as S3ConfigurationError {
            throw error
        } catch {
            return .failure(
                error as? StorageError ?? StorageError(.io, "region \(region.name) failed", cause: "\(error)"))
        }
    }

    /// Marks a bucket; when another process has done so just now, it is what that one has made it.
    static func newMark(of region: S3RegionConfiguration) async throws -> RegionID {
        try await with(region) { try await $0.mark(as: .random()) }
    }

    /// Does something with a bucket before the store is open.
    private static func with<Answer: Sendable>(
        _ configuration: S3RegionConfiguration, _ body: (S3PackRegion) async throws -> Answer
    ) async throws -> Answer {
        let region = try configuration.makeRegion(
            wallClock: SystemWallClock(), generator: SystemRandomNumberGenerator())
        do {
            let answer = try await body(region)
            try await region.close()
            return answer
        } catch {
            try? await region.close()
            throw error
        }
    }

    private func ensure(
        _ id: RegionID, is region: S3RegionConfiguration, _ known: [RegionRecord], _ former: RegionRecord?
    ) throws {
        let place = "region \(region.name), bucket \(region.bucket) at \(region.address),"
        guard known.isEmpty || known.contains(where: { $0.id == id }) else {
            throw Failure(
                .configuration,
                "\(place) bears the mark \(id), which this server does not know: it may be another server's")
        }
        if let former, former.id != id {
            throw Failure(.configuration, "\(place) is \(id), and region \(region.name) was \(former.id)")
        }
        if let other = known.first(where: { $0.id == id && $0.path != Self.place(region) }) {
            throw Failure(
                .configuration, "\(place) is the one that was \(other.path): the name of a region never changes")
        }
    }

    private func ensureDifferent(_ regions: [S3RegionConfiguration]) throws {
        for (index, region) in regions.enumerated() where region.identity != nil {
            guard let other = regions[..<index].first(where: { $0.identity == region.identity }) else { continue }
            throw Failure(
                .configuration,
                "regions \(other.name) and \(region.name) are the same bucket: one copy would count as two")
        }
    }

    private static func refusal(
        _ region: S3RegionConfiguration, _ missed: [RegionRecord], _ first: RegionRecord
    ) -> Failure {
        let path = place(region)
        let lost = missed.first { $0.path == path } ?? first
        return Failure(
            .configuration,
            "region \(region.name), bucket \(region.bucket) at \(region.address), bears no mark, and region \(lost.id), last "
                + "known as \(lost.path), is missing: is it the right bucket? When that one is lost or was given up, "
                + "'cairn-server region forget \(lost.id)' says so, and the new one is filled from the others")
    }

    // MARK: What the database remembers

    private func known() async throws -> [RegionRecord] {
        try await database.read { try RegionQueries($0).all() }
    }

    /// The same, after a little while should a region not be among them: who has marked it remembers it next.
    private func known(until id: RegionID) async throws -> [RegionRecord] {
        var known = try await self.known()
        for _ in 0..<Self.looks where !known.contains(where: { $0.id == id }) {
            try await Task.sleep(for: Self.pause)
            known = try await self.known()
        }
        return known
    }

    private func remember(_ regions: [S3RegionConfiguration], _ known: [RegionRecord]) async throws {
        let now = clock.now()
        let seen = regions.compactMap { region in
            region.identity.map { RegionRecord(id: $0, path: Self.place(region), added: now) }
        }
        let changed = seen.filter { region in !known.contains { $0.id == region.id && $0.path == region.path } }
        guard !changed.isEmpty else { return }
        try await database.write { connection in
            for region in changed { try RegionQueries(connection).remember(region) }
        }
    }
}

extension S3Region {
    /// The region as the store takes it.
    var configuration: S3RegionConfiguration {
        S3RegionConfiguration(
            name: name, address: endpoint, bucket: bucket, style: isPathStyle ? .path : .virtualHost,
            serverRegion: region, credentials: S3Credentials(accessKey: accessKey, secretKey: secretKey),
            certificateAuthority: authorities)
    }
}
