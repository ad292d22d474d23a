import Testing

@testable import MetadataPostgreSQL

@Suite("The statements that a connection has prepared")
struct StatementCacheTests {
    private let none = TypeNumber.unknown
    private let bytes = TypeNumber.bytes
    private let number = TypeNumber.integer
    private let text = TypeNumber.text

    @Test("are prepared once for a text and its types")
    func once() {
        var cache = StatementCache()
        let first = cache.lookUp("a", [number, bytes])
        let second = cache.lookUp("a", [number, bytes])
        #expect(first.isNew && !second.isNew && first.entry == second.entry && cache.count == 1)
        #expect(cache.lookUp("b", [number, bytes]).entry.name != first.entry.name)
    }

    @Test("take nothing in the place of a value")
    func nothing() {
        var cache = StatementCache()
        let typed = cache.lookUp("a", [number, bytes])
        #expect(cache.lookUp("a", [none, bytes]).entry == typed.entry)
        #expect(cache.lookUp("a", [none, none]).entry == typed.entry)
    }

    @Test("are prepared anew when a value comes where nothing was")
    func laterValue() {
        var cache = StatementCache()
        let untyped = cache.lookUp("a", [none, bytes])
        let typed = cache.lookUp("a", [number, none])
        #expect(untyped.isNew && typed.isNew)
        // What the first one knew is kept.
        #expect(typed.entry.types == [number, bytes])
        #expect(!cache.lookUp("a", [number, bytes]).isNew)
    }

    @Test("are never given values of other types, or another number of them")
    func otherTypes() {
        var cache = StatementCache()
        _ = cache.lookUp("a", [number])
        #expect(cache.lookUp("a", [text]).isNew)
        #expect(cache.lookUp("a", [number, number]).isNew)
        #expect(cache.count == 3)
    }

    @Test("go when there are too many, the one that was not used for longest first")
    func eviction() {
        var cache = StatementCache(limit: 3)
        let names = ["a", "b", "c"].map { cache.lookUp($0, []).entry.name }
        _ = cache.lookUp("a", [])
        let fourth = cache.lookUp("d", [])
        #expect(fourth.evicted == [names[1]] && cache.count == 3)
        #expect(!cache.lookUp("a", []).isNew && cache.lookUp("b", []).isNew)
    }

    @Test("that the server refused are forgotten")
    func refused() {
        var cache = StatementCache()
        let refused = cache.lookUp("a", [])
        cache.forget(refused.entry, "a")
        #expect(cache.count == 0)
        let again = cache.lookUp("a", [])
        #expect(again.isNew && again.entry.name != refused.entry.name)
        cache.forget(refused.entry, "a")
        #expect(cache.count == 1)
    }
}
