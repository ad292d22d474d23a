import TestSupport
import Testing

@testable import NotificationReactor

@Suite struct ConnectionTableTests {
    @Test func `a connection takes 40 bytes, and a new table is free at each place`() throws {
        #expect(MemoryLayout<Connection>.stride <= 40)
        let table = try ConnectionTable(count: 100)
        for descriptor in 0..<100 as Range<Int32> { #expect(table[descriptor].pointee.state == .free) }
    }

    private func queues(_ table: ConnectionTable) -> ConnectionQueues {
        var configuration = ReactorConfiguration()
        (configuration.idle, configuration.request, configuration.answer, configuration.linger) = (60, 10, 20, 2)
        return ConnectionQueues(configuration, table: table)
    }

    private func table(_ count: Int) throws -> ConnectionTable {
        let table = try ConnectionTable(count: count)
        for descriptor in 0..<Int32(count) { table[descriptor].initialize(to: Connection()) }
        return table
    }

    @Test func `nobody is late before the time that was given has wholly passed`() throws {
        let table = try table(4)
        var queues = queues(table)
        #expect(!queues.isWaiting)
        queues.move(0, to: .receiving, now: 100)
        queues.move(1, to: .idle, now: 100)
        queues.move(2, to: .parked, now: 100)
        #expect(queues.due(now: 110) == nil)
        #expect(queues.due(now: 111) == 0)
        queues.move(0, to: .lingering, now: 111)
        #expect(queues.due(now: 113) == nil)
        #expect(queues.due(now: 114) == 0)
        queues.move(0, to: .free, now: 114)
        #expect(queues.due(now: 160) == nil)
        #expect(queues.due(now: 161) == 1)
        queues.move(1, to: .idle, now: 161)
        #expect(queues.due(now: 161) == nil)
        queues.move(1, to: .free, now: 161)
        #expect(!queues.isWaiting)
    }

    @Test func `who can be spared is who lingers, then who is idle, then who is slow, and never who waits`() throws {
        let table = try table(5)
        var queues = queues(table)
        queues.move(0, to: .parked, now: 1)
        queues.move(1, to: .receiving, now: 1)
        queues.move(2, to: .idle, now: 2)
        queues.move(3, to: .idle, now: 3)
        queues.move(4, to: .lingering, now: 4)
        for spared in [4, 2, 3, 1] as [Int32] {
            #expect(queues.leastMissed == spared)
            queues.move(spared, to: .free, now: 5)
        }
        #expect(queues.leastMissed == nil)
    }

    /// Against queues that are arrays: who is due, in which order, and who is in none.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `whatever happens, the queues are those that arrays would be`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let table = try table(12)
        var queues = queues(table)
        var model: [Connection.State: [(descriptor: Int32, deadline: UInt32)]] = [:]
        let patience: [Connection.State: UInt32] = [.idle: 60, .receiving: 10, .sending: 20, .lingering: 2]
        var now: UInt32 = 0
        for _ in 0..<2_000 {
            now += UInt32.random(in: 0...2, using: &generator)
            let descriptor = Int32.random(in: 0..<12, using: &generator)
            let states: [Connection.State] = [.free, .idle, .receiving, .parked, .sending, .lingering]
            let state = states[Int.random(in: states.indices, using: &generator)]
            for key in model.keys { model[key]?.removeAll { $0.descriptor == descriptor } }
            if let patience = patience[state] { model[state, default: []].append((descriptor, now + patience + 1)) }
            queues.move(descriptor, to: state, now: now)
            let late = [Connection.State.receiving, .sending, .lingering, .idle].compactMap { state in
                model[state]?.first.flatMap { $0.deadline <= now ? $0.descriptor : nil }
            }
            #expect(queues.due(now: now) == late.first)
            #expect(queues.isWaiting == model.values.contains { !$0.isEmpty })
        }
    }

    @Test func `the pool keeps bytes and where a parser is in them, up to its capacity`() throws {
        var pool = try BufferPool(capacity: 2)
        var parser = RequestParser()
        let text = Array("GET / HTTP/1.1\r\nHo".utf8)
        _ = text.withUnsafeBytes { parser.advance(over: $0) }
        let first = try #require(text.withUnsafeBytes { pool.keep($0, parser) })
        let full = [UInt8](repeating: 7, count: BufferPool.length)
        let second = try #require(full.withUnsafeBytes { pool.keep($0) })
        #expect(text.withUnsafeBytes { pool.keep($0) } == nil)
        #expect(pool.used == 2)
        #expect(Array(pool.bytes(first)) == text)
        #expect(Array(pool.bytes(second)) == full)
        var resumed = pool.parser(first)
        let whole = text + Array("st: a\r\n\r\n".utf8)
        #expect(whole.withUnsafeBytes { resumed.advance(over: $0) } == .complete)
        pool.drop(5, of: first)
        #expect(Array(pool.bytes(first)) == Array(text[5...]))
        pool.drop(text.count - 5, of: first)
        #expect(pool.bytes(first).isEmpty)
        pool.release(first)
        #expect(pool.used == 1)
        #expect(text.withUnsafeBytes { pool.keep($0) } == first)
        #expect(Array(pool.bytes(first)) == text)
    }
}
