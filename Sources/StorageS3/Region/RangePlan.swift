/// Which requests answer many ranges of one object: neighbours share one, small gaps between them are read along.
struct RangePlan: Hashable, Sendable {
    /// A gap up to this costs less than another request.
    static let gap: UInt64 = 64 << 10
    /// Beyond this many bytes a request is not made longer by joining.
    static let most: UInt64 = 8 << 20

    /// What is asked for, in order.
    private(set) var requests: [Range<UInt64>] = []
    /// For each wanted range the request that has it; nil for an empty one.
    private(set) var places: [Int?] = []

    /// Plans ranges in ascending order.
    init(_ ranges: [Range<UInt64>]) {
        for range in ranges {
            if range.isEmpty {
                places.append(nil)
                continue
            }
            if let last = requests.last, range.lowerBound >= last.lowerBound,
                range.lowerBound <= last.upperBound + Self.gap,
                range.upperBound - last.lowerBound <= Self.most || range.upperBound <= last.upperBound
            {
                requests[requests.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                requests.append(range)
            }
            places.append(requests.count - 1)
        }
    }

    /// The bytes of each wanted range, as far as there are any.
    func cut(_ answers: [[UInt8]], for ranges: [Range<UInt64>]) -> [[UInt8]] {
        zip(ranges, places).map { range, place in
            guard let place else { return [] }
            let bytes = answers[place]
            let lower = min(bytes.count, Int(range.lowerBound - requests[place].lowerBound))
            return Array(bytes[lower..<min(bytes.count, lower + range.count)])
        }
    }
}
