import Model

/// What the kept versions of a file are worth, so that the least can go first.
///
/// The value of a version is `gap / age * (1 + 4 * change)`: `gap` is the time between its kept neighbours, which nothing would
/// be kept of if it went; `age` is the time since it was made, so that the past may be sparser than the present; `change` is the
/// part of its bytes, from 0 to 1, that its neighbours do not have. Where nobody has compared the bytes, the sizes are.
/// When a version goes, its neighbours' values rise. Of equal values the oldest goes first.
struct VersionValues {
    private let versions: [FileVersion]
    private let removable: [Bool]
    private let now: Timestamp
    /// The kept neighbours of each; -1 and the count where there is none.
    private var before: [Int]
    private var after: [Int]
    private var isKept: [Bool]
    private var values: [Double]
    private var queue = ValueQueue()
    /// How many are kept.
    private(set) var count: Int

    /// Takes versions, oldest first, which of them are kept, and which of those may go.
    init(_ versions: [FileVersion], kept: [Bool], removable: [Bool], now: Timestamp) {
        self.versions = versions
        self.removable = removable
        self.now = now
        isKept = kept
        count = kept.count { $0 }
        before = [Int](repeating: -1, count: versions.count)
        after = [Int](repeating: versions.count, count: versions.count)
        values = [Double](repeating: 0, count: versions.count)
        var last = -1
        for index in versions.indices where kept[index] {
            before[index] = last
            if last >= 0 { after[last] = index }
            last = index
        }
        for index in versions.indices where kept[index] && removable[index] { weigh(index) }
    }

    /// Takes the one of the least value out; nil when none may go.
    mutating func removeLeast() -> Int? {
        while let (value, index) = queue.removeFirst() {
            // It has gone, or was weighed again since.
            guard isKept[index], values[index] == value else { continue }
            isKept[index] = false
            count -= 1
            let (left, right) = (before[index], after[index])
            if left >= 0 {
                after[left] = right
                if removable[left] { weigh(left) }
            }
            if right < versions.count {
                before[right] = left
                if removable[right] { weigh(right) }
            }
            return index
        }
        return nil
    }

    private mutating func weigh(_ index: Int) {
        let value = value(index)
        values[index] = value
        queue.insert(value, index)
    }

    private func value(_ index: Int) -> Double {
        let version = versions[index]
        let left = before[index] >= 0 ? versions[before[index]] : nil
        let right = after[index] < versions.count ? versions[after[index]] : nil
        let age = max(60, Span.seconds(from: version.time, to: now))
        let back = left.map { Span.seconds(from: $0.time, to: version.time) }
        let forth = right.map { Span.seconds(from: version.time, to: $0.time) }
        // At an end the one gap that there is counts for both.
        let gap = max(1, (back ?? forth ?? age) + (forth ?? back ?? age))
        return gap / age * (1 + 4 * Self.change(version, left, right))
    }

    private static func change(_ version: FileVersion, _ left: FileVersion?, _ right: FileVersion?) -> Double {
        let size = Double(version.content.size)
        if let own = version.ownBytes { return size == 0 ? 0 : min(1, Double(own) / size) }
        let others = [left, right].compactMap { $0.map { Double($0.content.size) } }
        guard !others.isEmpty else { return 1 }
        let shares = others.map { other in abs(size - other) / max(1, max(size, other)) }
        return shares.reduce(0, +) / Double(shares.count)
    }
}

/// A heap of values, the least first; of equal ones that of the lower index.
struct ValueQueue {
    private var heap: [(value: Double, index: Int)] = []

    mutating func insert(_ value: Double, _ index: Int) {
        heap.append((value, index))
        var place = heap.count - 1
        while place > 0, heap[place] < heap[(place - 1) / 2] {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeFirst() -> (value: Double, index: Int)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var place = 0
        while true {
            let children = [2 * place + 1, 2 * place + 2].filter { $0 < heap.count }
            guard let least = children.min(by: { heap[$0] < heap[$1] }), heap[least] < heap[place] else { return first }
            heap.swapAt(place, least)
            place = least
        }
    }
}
