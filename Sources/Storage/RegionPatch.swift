import Model

/// Gathers what has to be rewritten in one region, so that neighbouring records share a write and a sync.
struct RegionPatch: Sendable {
    /// From this many bytes on they are written.
    private static let limit = 4 << 20

    private let region: any PackRegion
    private let pack: PackID
    private var start: UInt64 = 0
    private var bytes: [UInt8] = []
    /// What went wrong; nothing is written afterwards.
    private(set) var failure: StorageError?

    init(region: any PackRegion, pack: PackID) {
        self.region = region
        self.pack = pack
    }

    /// Writes bytes at an offset, now or later.
    mutating func write(_ new: some Collection<UInt8>, at offset: UInt64) async {
        if offset != start + UInt64(bytes.count) || bytes.count + new.count > Self.limit {
            await flush()
            start = offset
        }
        bytes += new
    }

    /// Writes what was gathered.
    mutating func flush() async {
        defer { bytes = [] }
        guard !bytes.isEmpty, failure == nil else { return }
        do {
            try await region.write(bytes, to: pack, at: start)
        } catch {
            failure = StorageError(any: error, in: region)
        }
    }
}
