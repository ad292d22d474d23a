public import Model
public import Storage
import Synchronization

extension S3PackRegion {
    /// How many ranges of one pack are asked for at a time.
    private static let parallel = 4

    /// All packs of the bucket. O(packs).
    public func list() async throws -> [PackSummary] {
        var packs: [PackSummary] = []
        try await visitPacks { packs += $0.map(\.summary) }
        return packs
    }

    /// Visits all packs, ordered by id, page by page, each with the second since 1970 in which it was stored.
    func visitPacks(
        _ visit: ([(summary: PackSummary, modified: Int64?)]) -> Void
    ) async throws(StorageError) {
        var token: String?
        repeat {
            let page = try await call("listing its packs") { client throws(S3Failure) in
                try await client.list(prefix: keys.packs, continuing: token)
            }
            visit(
                page.objects.compactMap { object in
                    keys.pack(ofKey: object.key).map {
                        (PackSummary(pack: $0, size: object.size, isSealed: true), object.modified)
                    }
                })
            token = page.next
        } while token != nil
    }

    /// What is known of one pack.
    public func find(_ pack: PackID) async throws -> PackSummary? {
        do throws(StorageError) {
            let info = try await call("looking for pack \(pack)") { client throws(S3Failure) in
                try await client.head(keys.pack(pack))
            }
            return PackSummary(pack: pack, size: info.size, isSealed: true)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// Reads ranges of a pack, neighbours in one request.
    public func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]] {
        let plan = RangePlan(ranges)
        let answers = try await call("reading pack \(pack)") { client throws(S3Failure) in
            try await get(plan.requests, of: keys.pack(pack), client)
        }
        return plan.cut(answers, for: ranges)
    }

    private func get(
        _ requests: [Range<UInt64>], of key: String, _ client: S3Client
    ) async throws(S3Failure) -> [[UInt8]] {
        if requests.count == 1 { return [try await get(requests[0], of: key, client)] }
        let outcome = await withTaskGroup(
            of: (Int, Result<[UInt8], S3Failure>).self
        ) { group -> Result<[[UInt8]], S3Failure> in
            var answers = [[UInt8]](repeating: [], count: requests.count)
            var begun = 0
            func begin() {
                let place = begun
                begun += 1
                group.addTask {
                    do throws(S3Failure) {
                        return (place, .success(try await self.get(requests[place], of: key, client)))
                    } catch { return (place, .failure(error)) }
                }
            }
            while begun < min(Self.parallel, requests.count) { begin() }
            while let (place, result) = await group.next() {
                switch result {
                case .success(let bytes): answers[place] = bytes
                case .failure:
                    group.cancelAll()
                    return result.map { _ in [] }
                }
                if begun < requests.count { begin() }
            }
            return .success(answers)
        }
        return try outcome.get()
    }

    private func get(
        _ range: Range<UInt64>, of key: String, _ client: S3Client
    ) async throws(S3Failure) -> [UInt8] {
        let (bytes, latency) = try await client.get(key, range: range)
        if latency > .zero { state.withLock { $0.latency.add(latency) } }
        return bytes
    }
}
