import Metadata
import Model
import Synchronization
import TestSupport
import Testing

/// The cache of one process, and the forms of what is in it.
@Suite struct MemoryMetadataCacheTests {
    private final class Time: Sendable {
        private let state = Mutex(Duration.zero)
        var now: Duration { state.withLock { $0 } }
        func advance(by duration: Duration) { state.withLock { $0 += duration } }
    }

    private let time = Time()

    private func cache(_ capacity: Int) -> MemoryMetadataCache {
        MemoryMetadataCache(capacity: capacity, lifetime: .seconds(60), elapsed: { [time] in time.now })
    }

    private static func key(_ number: Int) -> MetadataCacheKey { MetadataCacheKey("t", [[UInt8(number)]]) }

    @Test func `what was put is there until its time is over`() async {
        let cache = cache(10_000)
        #expect(cache.isUseful)
        await cache.put([Self.key(1): [1], Self.key(2): []])
        #expect(await cache.get([Self.key(1), Self.key(2), Self.key(3)]) == [Self.key(1): [1], Self.key(2): []])
        time.advance(by: .seconds(59))
        #expect(await cache.get([Self.key(1)]).count == 1)
        time.advance(by: .seconds(1))
        #expect(await cache.get([Self.key(1), Self.key(2)]).isEmpty)
        #expect(cache.size == 0)
        #expect(cache.counts.hits == 3 && cache.counts.misses == 3)
    }

    @Test func `what was not used for the longest time goes first`() async {
        // Each entry counts 128, its key of 5 bytes and its 67 bytes: ten of them fit.
        let cache = cache(2000)
        for number in 0..<10 { await cache.put([Self.key(number): Array(repeating: 0, count: 67)]) }
        #expect(cache.size == 2000)
        #expect(await cache.get([Self.key(0), Self.key(2)]).count == 2)
        for number in 10..<13 { await cache.put([Self.key(number): Array(repeating: 0, count: 67)]) }
        #expect(cache.size == 2000)
        let left = await cache.get((0..<13).map(Self.key))
        #expect(Set(left.keys) == Set(([0, 2] + Array(5..<13)).map(Self.key)))
    }

    @Test func `one large entry does not drive out all others`() async {
        let cache = cache(8000)
        await cache.put([Self.key(1): [1]])
        await cache.put([Self.key(2): Array(repeating: 0, count: 1000)])
        #expect(await cache.get([Self.key(1), Self.key(2)]).count == 1)
    }

    @Test func `an entry that is put again counts once, and lives anew`() async {
        let cache = cache(10_000)
        await cache.put([Self.key(1): [1, 2, 3]])
        let size = cache.size
        time.advance(by: .seconds(40))
        await cache.put([Self.key(1): [1, 2, 3]])
        #expect(cache.size == size)
        time.advance(by: .seconds(40))
        #expect(await cache.get([Self.key(1)]).count == 1)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `it does what a plain list does, whatever comes`(seed: UInt64) async {
        let cache = cache(2000)
        var random = SeededGenerator(seed: seed)
        /// Numbers in the order of their last use.
        var order: [Int] = []
        for _ in 0..<2000 {
            let number = Int.random(in: 0..<16, using: &random)
            if Bool.random(using: &random) {
                await cache.put([Self.key(number): Array(repeating: UInt8(number), count: 67)])
                order.removeAll { $0 == number }
                order.append(number)
                if order.count > 10 { order.removeFirst() }
            } else {
                let found = await cache.get([Self.key(number)])
                #expect(found.isEmpty == !order.contains(number))
                if !found.isEmpty {
                    order.removeAll { $0 == number }
                    order.append(number)
                }
            }
        }
        #expect(cache.size == order.count * 200)
    }

    @Test func `no cache has nothing`() async {
        let cache = NoMetadataCache()
        await cache.put([Self.key(1): [1]])
        #expect(await cache.get([Self.key(1)]).isEmpty)
        #expect(!cache.isUseful)
    }

    @Test func `a list of nodes is read as it was written`() throws {
        func node(_ number: UInt64, _ payload: NodePayload) throws -> NodeRecord {
            NodeRecord(
                node: NodeID(high: 1, low: number), revision: Revision(number),
                state: NodeState(
                    parent: .root, name: try NodeName(bytes: [0xFF, UInt8(number)]), payload: payload, mode: 0o7777,
                    modified: Timestamp(nanoseconds: -5)))
        }
        let content = Content(id: ContentID(level: 2, digest: Digest(words: (1, 2, 3, 4))), size: 1 << 40)
        let list = [try node(1, .folder), try node(2, .file(content)), try node(3, .symlink(target: [0, 255]))]
        let bytes = NodeListForm.bytes(of: list)
        #expect(try NodeListForm.records(in: bytes) == list)
        #expect(try NodeListForm.records(in: []).isEmpty)
        #expect(throws: MetadataError.self) { try NodeListForm.records(in: Array(bytes.dropLast())) }
    }
}
