import Model

/// Reads records of one pack from one region after the other: what was found, what is missing, who failed.
struct RecordReading: Sendable {
    /// How a region failed a record.
    enum DamageKind: Sendable {
        /// The region could not be asked.
        case unreachable
        /// The region has no such pack, or a shorter one.
        case absent
        /// The bytes are not what was written, or can't be read.
        case altered
    }

    /// One record that one region did not have whole.
    struct Damage: Sendable {
        let record: Int
        let region: Int
        let kind: DamageKind
        let error: StorageError
    }

    let pack: PackID
    /// In ascending order of their offsets.
    private let locations: [PackLocation]
    private var headers: [[UInt8]?]
    private var found: [[UInt8]?]
    private(set) var damage: [Damage] = []

    init(pack: PackID, locations: [PackLocation]) {
        self.pack = pack
        self.locations = locations
        headers = Array(repeating: nil, count: locations.count)
        found = Array(repeating: nil, count: locations.count)
    }

    private var missing: [Int] {
        found.indices.filter { found[$0] == nil && PackFormat.frame(of: locations[$0]) != nil }
    }

    /// Two ranges, header and payload, for each record that no region has given yet.
    var missingRanges: [Range<UInt64>] {
        missing.flatMap { index -> [Range<UInt64>] in
            let offset = locations[index].offset
            let header = offset - UInt64(PackFormat.recordHeaderLength)..<offset
            return [header, offset..<offset + UInt64(locations[index].length)]
        }
    }

    /// The payloads, once none is missing.
    var payloads: [[UInt8]] { found.map { $0 ?? [] } }

    /// A record that was found, as it lies in the pack.
    func frame(_ record: Int) -> (offset: UInt64, bytes: [UInt8])? {
        guard let header = headers[record], let payload = found[record] else { return nil }
        return (locations[record].offset - UInt64(header.count), header + payload)
    }

    /// Takes the answer of a region to ``missingRanges``.
    mutating func take(_ answers: [[UInt8]], from region: Int) {
        for (place, record) in missing.enumerated() where place * 2 + 1 < answers.count {
            let header = answers[place * 2]
            let payload = answers[place * 2 + 1]
            let location = locations[record]
            if header.count < PackFormat.recordHeaderLength || payload.count < Int(location.length) {
                note(record, region, .absent, StorageError(.corrupt, "the pack ends before \(location)"))
            } else if isIntact(header, payload, at: location) {
                headers[record] = header
                found[record] = payload
            } else {
                note(record, region, .altered, StorageError(.corrupt, "\(location) are not what was written"))
            }
        }
    }

    /// Takes note that a region failed altogether.
    mutating func fail(_ error: StorageError, in region: Int) {
        let kind: DamageKind =
            switch error.code {
            case .notFound: .absent
            case .io, .corrupt: .altered
            case .full, .unavailable, .readOnly, .inUse, .frozen: .unreachable
            }
        for record in missing { note(record, region, kind, error) }
    }

    /// Why the first missing record can't be had; nil when all are there.
    func error(_ regions: [String]) -> StorageError? {
        guard let record = found.firstIndex(of: nil) else { return nil }
        let failures = damage.filter { $0.record == record }
        let causes = failures.map { "region \(regions[$0.region]): \($0.error)" }.joined(separator: "; ")
        // A region that could not be asked may have it, so nobody may conclude that it is lost.
        let order: [StorageError.Code] = [.unavailable, .inUse, .readOnly, .full, .io, .corrupt]
        let code = order.first { code in failures.contains { $0.error.code == code } } ?? .notFound
        return StorageError(code, "no region can give \(locations[record])", cause: causes.isEmpty ? nil : causes)
    }

    private func isIntact(_ header: [UInt8], _ payload: [UInt8], at location: PackLocation) -> Bool {
        let offset = location.offset - UInt64(PackFormat.recordHeaderLength)
        guard
            let decoded = header.withUnsafeBytes({ RecordHeader(decoding: $0, pack: location.pack, offset: offset) }),
            decoded.kind == .record
        else { return false }
        return payload.withUnsafeBytes { decoded.matches($0) }
    }

    private mutating func note(_ record: Int, _ region: Int, _ kind: DamageKind, _ error: StorageError) {
        damage.append(Damage(record: record, region: region, kind: kind, error: error))
    }
}
