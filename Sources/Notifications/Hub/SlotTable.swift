/// What lies at a place of a table: plain bytes, with a link through the places that are free.
protocol Slot: BitwiseCopyable {
    /// The next place: of the free ones while this one is free, else of whatever list the owner of the table keeps.
    var link: UInt32 { get set }

    /// Marks the place as free, for those who come by a number that they kept.
    mutating func clear()
}

extension UInt32 {
    /// No place: the end of a list.
    static let nowhere = UInt32.max
}

/// Places for plain structs in one piece of memory, which is reserved at the start and used from its front: what was never
/// used takes up no memory. A place keeps its number for as long as it is taken.
struct SlotTable<Element: Slot>: ~Copyable {
    private var memory: UnsafeMutablePointer<Element>
    /// The most places.
    let capacity: Int
    /// How many places are taken.
    private(set) var count = 0
    /// Places below this number have been used; all others are untouched.
    private(set) var reach: UInt32 = 0
    private var free: UInt32 = .nowhere

    /// A table that became empty lets its memory go when it reached at least as far as this.
    static var smallReach: UInt32 { 4096 }

    init(capacity: Int) {
        precondition(capacity >= 0 && capacity < Int(UInt32.nowhere), "a place has a number of 32 bits")
        self.capacity = capacity
        // Memory of this size comes as untouched pages, which the system provides when they are first written.
        memory = .allocate(capacity: capacity)
    }

    deinit { memory.deallocate() }

    /// The bytes that the places use.
    var bytes: Int { Int(reach) * MemoryLayout<Element>.stride }

    subscript(place: UInt32) -> Element {
        get {
            assert(place < reach, "a place that was never taken")
            return memory[Int(place)]
        }
        _modify {
            assert(place < reach, "a place that was never taken")
            yield &memory[Int(place)]
        }
    }

    /// Takes a place for an element; nil when all are taken.
    mutating func take(_ element: Element) -> UInt32? {
        let place: UInt32
        if free != .nowhere {
            place = free
            free = memory[Int(place)].link
            memory[Int(place)] = element
        } else {
            guard Int(reach) < capacity else { return nil }
            place = reach
            (memory + Int(place)).initialize(to: element)
            reach += 1
        }
        count += 1
        return place
    }

    /// Gives a place back.
    mutating func giveBack(_ place: UInt32) {
        memory[Int(place)].clear()
        memory[Int(place)].link = free
        free = place
        count -= 1
        if count == 0 { startAnew() }
    }

    private mutating func startAnew() {
        if reach >= Self.smallReach {
            memory.deallocate()
            memory = .allocate(capacity: capacity)
        }
        reach = 0
        free = .nowhere
    }
}
