import TestSupport
import Testing

@testable import NotificationReactor

@Suite struct ReactorPlanTests {
    @Test(
        arguments: [
            (100, 1, 1_024, 1, false), (448, 1, 1_024, 1, false), (449, 1, 1_024, 1, true),
            (10_000, 4, 20_000, 4, false),
            (19_424, 1, 20_000, 1, false), (19_425, 1, 20_000, 1, true), (20_000, 1, 20_000, 2, true),
            (100_000, 2, 1_000_000, 2, false), (1_000_000, 1, 1_048_576, 1, false),
        ])
    func `one file table serves as long as it is large enough`(
        capacity: Int, wanted: Int, files: Int, threads: Int, ownsTables: Bool
    ) throws {
        let plan = try ReactorPlan(capacity: capacity, threads: wanted, files: files, processors: 2)
        #expect(plan.threads == threads)
        #expect(plan.ownsTables == ownsTables)
    }

    @Test func `a million polls under a limit of 20,000 files take some 50 threads`() throws {
        let plan = try ReactorPlan(capacity: 1_000_000, threads: 2, files: 20_000, processors: 2)
        #expect(50...54 ~= plan.threads)
        #expect(plan.ownsTables)
        // Of which as many accept at one time as there are processors, from queues for a crowd.
        #expect(plan.active == 2)
        #expect(plan.listeners == 8)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `the threads hold the capacity, and their files`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let files = Int.random(in: 600...100_000, using: &generator)
        let capacity = Int.random(in: 1...files * 40, using: &generator)
        let wanted = Int.random(in: 1...16, using: &generator)
        let plan = try ReactorPlan(capacity: capacity, threads: wanted, files: files, processors: 2)
        #expect(plan.threads >= wanted)
        #expect(plan.threads * plan.polls >= capacity)
        #expect(1...plan.threads ~= plan.listeners && 1...plan.listeners ~= plan.active)
        #expect(plan.ownsTables ? plan.connections < files : plan.connections * plan.threads < files)
    }

    @Test func `a limit that leaves no room is said to be so`() {
        #expect(throws: ReactorError.tooFewFiles(64)) {
            try ReactorPlan(capacity: 10, threads: 1, files: 64, processors: 1)
        }
        #expect(throws: ReactorError.tooManyThreads(10_000)) {
            try ReactorPlan(capacity: 10_000_000, threads: 1, files: 1_000, processors: 1)
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `an owner is taken apart as it was put together, whatever the desk adds above`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let owner = PollOwner(
            loop: Int.random(in: 0..<PollOwner.maximumLoops, using: &generator),
            descriptor: Int32.random(in: 0..<Int32(PollOwner.maximumDescriptors), using: &generator),
            generation: UInt32(truncatingIfNeeded: generator.next()))
        #expect(owner.number < 1 << 56)
        #expect(PollOwner(number: owner.number | generator.next() << 56) == owner)
    }
}
