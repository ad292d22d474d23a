import Model

/// The revisions at which something was so: spans in order, none of which meet.
struct RevisionSpans: Hashable, Sendable {
    /// Where a span ends that has not ended yet.
    static let endless = Revision(.max)
    /// At no revision.
    static let never = RevisionSpans()
    /// At every revision.
    static let always = RevisionSpans([.zero..<endless])

    private(set) var spans: [Range<Revision>] = []

    /// The spans, in any order; they may meet.
    init(_ spans: [Range<Revision>] = []) {
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) where !span.isEmpty {
            if let last = self.spans.last, span.lowerBound <= last.upperBound {
                self.spans[self.spans.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                self.spans.append(span)
            }
        }
    }

    var isEmpty: Bool { spans.isEmpty }

    /// The first revision at which it was so; 0 for never.
    var from: Revision { spans.first?.lowerBound ?? .zero }

    /// The first revision from which on it is so no more; nil while it is.
    var until: Revision? { spans.last.flatMap { $0.upperBound == Self.endless ? nil : $0.upperBound } }

    /// Adds a span behind those that are there; one that comes before the last is put in its place.
    /// - Complexity: O(1) behind them, else O(spans).
    mutating func add(_ span: Range<Revision>) {
        guard let last = spans.last, span.lowerBound <= last.upperBound else {
            if !span.isEmpty { spans.append(span) }
            return
        }
        if span.lowerBound >= last.lowerBound {
            spans[spans.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
        } else {
            self = RevisionSpans(spans + [span])
        }
    }

    /// When one or the other was so.
    func union(_ other: RevisionSpans) -> RevisionSpans { RevisionSpans(spans + other.spans) }

    /// When both were so.
    /// - Complexity: O(spans of both).
    func intersection(_ other: RevisionSpans) -> RevisionSpans {
        var common = RevisionSpans()
        var (mine, theirs) = (spans[...], other.spans[...])
        while let left = mine.first, let right = theirs.first {
            let (first, last) = (max(left.lowerBound, right.lowerBound), min(left.upperBound, right.upperBound))
            if first < last { common.add(first..<last) }
            if left.upperBound <= right.upperBound { mine.removeFirst() } else { theirs.removeFirst() }
        }
        return common
    }
}
