import Testing

@testable import Files

@Suite("The bell of the archive", .timeLimit(.minutes(1)))
struct ArchiveBellTests {
    private let bell = ArchiveBell()

    @Test("a ring before anybody waits is heard, and rings that came together are one")
    func before() async {
        bell.ring()
        bell.ring()
        await bell.wait()
        let task = Task { await bell.wait() }
        for _ in 0..<100 { await Task.yield() }
        bell.ring()
        await task.value
    }

    @Test("who stopped waiting can wait again, and is not answered without a ring")
    func again() async {
        for _ in 0..<50 {
            let task = Task { await bell.wait() }
            task.cancel()
            await task.value
        }
        let (answers, answered) = AsyncStream<Int>.makeStream()
        let task = Task {
            await bell.wait()
            answered.yield(1)
        }
        for _ in 0..<1000 { await Task.yield() }
        answered.yield(0)
        bell.ring()
        await task.value
        answered.finish()
        #expect(await answers.reduce(into: []) { $0.append($1) } == [0, 1])
    }

    @Test("a ring that nobody heard, since its waiter went away at that moment, is heard or was answered")
    func race() async {
        for _ in 0..<200 {
            let task = Task { await bell.wait() }
            await Task.yield()
            async let rung: Void = bell.ring()
            task.cancel()
            await rung
            await task.value
            // Whoever took it, a further ring is heard.
            bell.ring()
            await bell.wait()
        }
    }
}
