import Storage

/// Records of one pack as regions answer them: what was found, what is missing, who failed.
struct RecordsRead: Sendable {
    /// Records that are asked of one region.
    struct Part: Sendable {
        fileprivate let records: [Int]
        /// One range for each, header and payload.
        let ranges: [Range<UInt64>]

        var isEmpty: Bool { records.isEmpty }
    }

    /// One record that one region did not have whole.
    struct Damage: Hashable, Sendable {
        let record: Int
        let region: Int
        let code: StorageError.Code
    }

    /// In ascending order of their offsets.
    private let locations: [PackLocation]
    private(set) var found: [RecordFrame?]
    /// The records that regions had damaged or had not at all.
    private(set) var damaged: [Damage] = []
    /// Why regions could give nothing.
    private(set) var failures: [Int: StorageError] = [:]

    init(_ locations: [PackLocation]) {
        self.locations = locations
        found = Array(repeating: nil, count: locations.count)
    }

    /// What no region has given yet and may lie somewhere.
    var missing: Part {
        let records = locations.indices.filter { found[$0] == nil && locations[$0].frame != nil }
        return Part(records: records, ranges: records.compactMap { locations[$0].frame })
    }

    var isWhole: Bool { !found.contains { $0 == nil } }

    /// The payloads, once all are there.
    var payloads: [[UInt8]] { found.map { $0?.withPayload { Array($0) } ?? [] } }

    /// Takes what a region has answered to a part.
    mutating func take(_ result: Result<[[UInt8]], StorageError>, of part: Part, from region: Int) {
        switch result {
        case .failure(let error):
            failures[region] = error
            if error.code == .notFound {
                damaged += part.records.map { Damage(record: $0, region: region, code: .notFound) }
            }
        case .success(let answers):
            for (record, bytes) in zip(part.records, answers) {
                let frame = RecordFrame(locations[record], bytes: bytes[...])
                if frame.isIntact {
                    found[record] = found[record] ?? frame
                } else {
                    damaged.append(Damage(record: record, region: region, code: .corrupt))
                }
            }
        }
    }

    /// Why the first missing record can't be had; nil when all are there.
    func error(_ names: [String]) -> StorageError? {
        guard let record = found.firstIndex(where: { $0 == nil }) else { return nil }
        let what = "no region can give \(locations[record])"
        let unread = failures.filter { $0.value.code != .notFound }.sorted { $0.key < $1.key }
        let own = damaged.filter { $0.record == record }
        let causes =
            unread.map { "region \(names[$0.key]): \($0.value)" }
            + own.map { "region \(names[$0.region]): \($0.code == .notFound ? "it is not there" : "it is damaged")" }
        // A region that could not be asked may have it, so nobody may conclude that it is lost.
        let codes = unread.map(\.value.code) + own.map(\.code)
        let order: [StorageError.Code] = [.unavailable, .readOnly, .full, .io, .corrupt]
        return StorageError(
            order.first { codes.contains($0) } ?? .notFound, what,
            cause: causes.isEmpty ? nil : causes.joined(separator: "; "))
    }
}
