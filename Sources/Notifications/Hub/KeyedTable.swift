import Model

/// A slot that is looked up by an identifier.
protocol KeyedSlot: Slot {
    associatedtype Kind

    /// What it is looked up by; no two slots of a table have the same.
    var key: Identifier<Kind> { get }
}

/// A table whose places are found by an identifier: linear hashing (Litwin 1980) with the places themselves as links of the
/// chains. The list of buckets grows and shrinks by one bucket at a time, so that no operation has to wait while
/// everything is moved, and takes 4 bytes for each place in use.
struct KeyedTable<Element: KeyedSlot>: ~Copyable {
    private var places: SlotTable<Element>
    /// The first place of each bucket; a link in each place leads on.
    private var buckets: UnsafeMutablePointer<UInt32>
    private var bucketCount = Self.fewest
    /// The largest power of two that is not above ``bucketCount``: buckets from here on were split off.
    private var base = Self.fewest

    private static var fewest: Int { 16 }

    init(capacity: Int) {
        places = SlotTable(capacity: capacity)
        buckets = .allocate(capacity: max(capacity, Self.fewest))
        buckets.initialize(repeating: .nowhere, count: Self.fewest)
    }

    deinit { buckets.deallocate() }

    var count: Int { places.count }
    var reach: UInt32 { places.reach }
    var bytes: Int { places.bytes + bucketCount * MemoryLayout<UInt32>.stride }

    subscript(place: UInt32) -> Element {
        get { places[place] }
        _modify { yield &places[place] }
    }

    /// The place of an identifier; nowhere when there is none.
    func find(_ key: Identifier<Element.Kind>) -> UInt32 {
        var place = buckets[bucket(of: key)]
        while place != .nowhere, places[place].key != key { place = places[place].link }
        return place
    }

    /// Takes a place for an element whose key has none; nil when all places are taken.
    mutating func insert(_ element: Element) -> UInt32? {
        guard let place = places.take(element) else { return nil }
        let bucket = bucket(of: element.key)
        places[place].link = buckets[bucket]
        buckets[bucket] = place
        if count > bucketCount { split() }
        return place
    }

    /// Gives a place back; its key is not found any more.
    mutating func remove(_ place: UInt32) {
        let bucket = bucket(of: places[place].key)
        let next = places[place].link
        if buckets[bucket] == place {
            buckets[bucket] = next
        } else {
            var before = buckets[bucket]
            while places[before].link != place { before = places[before].link }
            places[before].link = next
        }
        places.giveBack(place)
        guard count > 0 else { return startAnew() }
        // Two at a time: so the buckets become fewer as fast as what is in them.
        for _ in 0..<2 where bucketCount > Self.fewest && count < bucketCount / 2 { merge() }
    }

    private mutating func startAnew() {
        if bucketCount >= SlotTable<Element>.smallReach {
            buckets.deallocate()
            buckets = .allocate(capacity: max(places.capacity, Self.fewest))
        }
        (bucketCount, base) = (Self.fewest, Self.fewest)
        buckets.initialize(repeating: .nowhere, count: Self.fewest)
    }

    private func bucket(of key: Identifier<Element.Kind>) -> Int {
        let hash = Self.hash(key)
        let wide = hash & (2 * base - 1)
        return wide < bucketCount ? wide : hash & (base - 1)
    }

    /// Mixes an identifier. Identifiers are drawn at random by the server: nobody chooses which bucket they fall into.
    private static func hash(_ key: Identifier<Element.Kind>) -> Int {
        var mixed = (key.low ^ (key.high << 32 | key.high >> 32)) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 32)) &* 0xd6e8_feb8_6659_fd93
        return Int(truncatingIfNeeded: (mixed ^ (mixed >> 32)) >> 1)
    }

    /// Adds a bucket, to which about half of another one moves.
    private mutating func split() {
        let new = bucketCount
        var place = buckets[new - base]
        (buckets[new - base], buckets[new]) = (.nowhere, .nowhere)
        bucketCount += 1
        while place != .nowhere {
            let next = places[place].link
            let bucket = Self.hash(places[place].key) & (2 * base - 1)
            places[place].link = buckets[bucket]
            buckets[bucket] = place
            place = next
        }
        if bucketCount == 2 * base { base = bucketCount }
    }

    /// Takes the last bucket away; what is in it moves to the one that it was split off.
    private mutating func merge() {
        if bucketCount == base { base /= 2 }
        bucketCount -= 1
        var last = buckets[bucketCount]
        let other = bucketCount - base
        while last != .nowhere {
            let next = places[last].link
            places[last].link = buckets[other]
            buckets[other] = last
            last = next
        }
    }
}
