import Glibc

/// A bounded number of buffers for the few connections whose request has come in part, or whose answer could be sent only
/// in part. The kernel gives their memory as they are touched.
struct BufferPool: ~Copyable {
    /// The most bytes that a buffer holds.
    static let length = RequestParser.maximumLength

    private struct Place {
        var start: UInt32 = 0
        var count: UInt32 = 0
        var parser = RequestParser()
    }

    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    private var places: [Place] = []
    private var free: [Int32] = []

    /// Makes a pool of so many buffers.
    /// - Throws: ``ReactorError/system(_:_:)`` when the kernel has no memory.
    init(capacity: Int) throws(ReactorError) {
        self.capacity = capacity
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let mapped = mmap(nil, max(1, capacity) * Self.length, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { throw .system("the buffers of half requests", errno) }
        memory = mapped
    }

    deinit { munmap(memory, max(1, capacity) * Self.length) }

    /// How many buffers are in use.
    var used: Int { places.count - free.count }

    /// Keeps bytes, at most ``length``, with where a parser is in them; nil when no buffer is left.
    mutating func keep(_ bytes: UnsafeRawBufferPointer, _ parser: RequestParser = RequestParser()) -> Int32? {
        precondition(bytes.count <= Self.length, "\(bytes.count) bytes for a buffer of \(Self.length)")
        guard let index = take() else { return nil }
        memory(of: index).copyMemory(from: bytes)
        places[Int(index)] = Place(start: 0, count: UInt32(bytes.count), parser: parser)
        return index
    }

    /// The bytes that a buffer holds; good until the pool is changed.
    func bytes(_ index: Int32) -> UnsafeRawBufferPointer {
        let place = places[Int(index)]
        return UnsafeRawBufferPointer(rebasing: memory(of: index)[Int(place.start)..<Int(place.start + place.count)])
    }

    /// Where the parser is in the bytes of a buffer.
    func parser(_ index: Int32) -> RequestParser { places[Int(index)].parser }

    /// Lets the first bytes of a buffer go.
    mutating func drop(_ count: Int, of index: Int32) {
        places[Int(index)].start += UInt32(count)
        places[Int(index)].count -= UInt32(count)
    }

    /// Gives a buffer back.
    mutating func release(_ index: Int32) { free.append(index) }

    private mutating func take() -> Int32? {
        if let index = free.popLast() { return index }
        guard places.count < capacity else { return nil }
        places.append(Place())
        return Int32(places.count - 1)
    }

    private func memory(of index: Int32) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory + Int(index) * Self.length, count: Self.length)
    }
}
