import Blocks
import Files
import Model
import TestSupport
import Testing
import WireProtocol

@Suite("Whole files")
struct WholeFileTests {
    /// Small windows, so that a little data needs many.
    private var limits: FilesLimits {
        var limits = FilesLimits()
        limits.window = 600_000
        return limits
    }

    @Test(
        "what is written is read, at any size and however it arrives",
        arguments: [0, 1, 1000, 599_999, 600_000, 600_001, 3_000_000])
    func roundTrip(size: Int) async throws {
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var random = SeededGenerator(seed: UInt64(size))
        let bytes = random.bytes(size)
        let written = try await shop.write("/f", bytes, parts: 70_001, by: ada)
        #expect(written.isNew)
        #expect(written.content.size == UInt64(size))
        #expect(try await shop.read("/f", by: ada) == bytes)
    }

    @Test("the server cuts a file as a device does, so that both share blocks")
    func sameRecipe() async throws {
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(2_500_000)
        var builder = RecipeBuilder()
        let splitter = ContentSplitter(chunker: Chunker())
        var position = 0
        _ = try splitter.split { room in
            let count = min(room.count, bytes.count - position)
            bytes.withUnsafeBytes {
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
            }
            position += count
            return count
        } block: { id, plain in
            builder.append(RecipeEntry(block: id, length: UInt32(plain.count))) { _ in }
        }
        let written = try await shop.write("/f", bytes, parts: 12_345, by: ada)
        #expect(written.content == builder.finish { _ in })
    }

    @Test("a range is read from the blocks that hold it")
    func ranges() async throws {
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var random = SeededGenerator(seed: 2)
        let bytes = random.bytes(2_000_000)
        try await shop.write("/f", bytes, by: ada)
        for range in [0..<1, 0..<2_000_000, 1_999_999..<2_000_000, 5..<5, 700_000..<700_100, 123_456..<1_876_543] {
            let read = try await shop.read("/f", UInt64(range.lowerBound)..<UInt64(range.upperBound), by: ada)
            #expect(read == Array(bytes[range]), "\(range)")
        }
        await #expect(throws: FilesError(.rangeNotSatisfiable, "")) {
            try await shop.read("/f", 5..<2_000_001, by: ada)
        }
    }

    @Test("a window is never much larger than it may be")
    func boundedWindows() async throws {
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var random = SeededGenerator(seed: 3)
        try await shop.write("/f", random.bytes(4_000_000), by: ada)
        let file = try await ReadFile(shop.context)(RemotePath("/f"), in: ada.home, by: ada)
        let bytes = try await file.read(0..<4_000_000)
        var window = bytes.first
        var count = 0
        while let current = window {
            let size = current.pieces.reduce(0) { $0 + $1.count }
            #expect(size < limits.window + ChunkerParameters.standard.maximum)
            count += 1
            window = try await bytes.window(after: current)
        }
        #expect(count >= 4)
    }

    @Test("a reader keeps the version that it found")
    func versionOfReader() async throws {
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var random = SeededGenerator(seed: 4)
        let (old, new) = (random.bytes(2_000_000), random.bytes(2_000_000))
        try await shop.write("/f", old, by: ada)
        let file = try await ReadFile(shop.context)(RemotePath("/f"), in: ada.home, by: ada)
        let reading = try await file.read(0..<file.content.size)
        try await shop.write("/f", new, by: ada)
        #expect(try await reading.whole() == old)
        #expect(try await shop.read("/f", by: ada) == new)
    }

    @Test("a long file is announced before it is there, a short one is not")
    func announcement() async throws {
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var random = SeededGenerator(seed: 5)
        try await shop.write("/short", random.bytes(1000), by: ada)
        #expect(shop.takeNotices() == ["uploaded 1"])
        try await shop.write("/long", random.bytes(2_000_000), by: ada)
        #expect(shop.takeNotices() == ["pending 1", "uploaded 2"])
        #expect(try await ListPendingUploads(shop.context)(in: ada.home, by: ada).isEmpty)
    }

    @Test("a body that breaks off changes nothing")
    func brokenBody() async throws {
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        try await shop.write("/f", Array("old".utf8), by: ada)
        _ = shop.takeNotices()
        var random = SeededGenerator(seed: 6)
        let body = Pieces(pieces: [random.bytes(900_000), random.bytes(300_000)], breaksOff: true)
        await #expect(throws: Pieces.BrokenOff.self) {
            try await WriteFile(shop.context, completion: shop.completion)(
                RemotePath("/f"), body: body, in: ada.home, by: ada)
        }
        #expect(try await shop.read("/f", by: ada) == Array("old".utf8))
        #expect(shop.takeNotices() == ["pending 1"])
        #expect(
            try await ListPendingUploads(shop.context)(in: ada.home, by: ada).isEmpty, "the announcement is taken back")
    }

    @Test("conditions hold in the commit, not only before it")
    func preconditions() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let first = try await shop.write("/f", Array("one".utf8), by: ada)
        var ifFirst = WriteOptions()
        ifFirst.preconditions.ifMatch = .contents([first.content.id])
        var ifNew = WriteOptions()
        ifNew.preconditions.ifNoneMatch = .any
        await #expect(throws: FilesError(.preconditionFailed, "")) {
            try await shop.write("/f", Array("no".utf8), options: ifNew, by: ada)
        }
        await #expect(throws: FilesError(.preconditionFailed, "")) {
            try await shop.write("/g", Array("no".utf8), options: ifFirst, by: ada)
        }
        let written = try await shop.write("/f", Array("two".utf8), options: ifFirst, by: ada)
        #expect(!written.isNew)
        await #expect(throws: FilesError(.preconditionFailed, "")) {
            try await shop.write("/f", Array("three".utf8), options: ifFirst, by: ada)
        }
        #expect(try await shop.read("/f", by: ada) == Array("two".utf8))
    }

    @Test("of many writers with one condition, exactly one succeeds")
    func racingWriters() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let first = try await shop.write("/f", Array("start".utf8), by: ada)
        var options = WriteOptions()
        options.preconditions.ifMatch = .contents([first.content.id])
        let successes = await withTaskGroup(of: Int.self) { group in
            for number in 0..<12 {
                group.addTask { [options] in
                    (try? await shop.write("/f", Array("writer \(number)".utf8), options: options, by: ada)) == nil
                        ? 0 : 1
                }
            }
            return await group.reduce(0, +)
        }
        #expect(successes == 1)
        #expect(try await shop.head(of: ada).revision == Revision(2))
    }

    @Test("the folder of a file has to be there, unless it may be made")
    func parents() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        await #expect(throws: FilesError(.conflict, "")) { try await shop.write("/a/b/f", [1], by: ada) }
        var options = WriteOptions()
        options.createParents = true
        try await shop.write("/a/b/f", [1], options: options, by: ada)
        try await shop.write("/a/b/g", [2], options: options, by: ada)
        #expect(try await shop.head(of: ada).revision == Revision(2), "a file and its folders are one commit")
        #expect(try await ListFolder(shop.context)(RemotePath("/a/b"), in: ada.home, by: ada).entries.count == 2)
        await #expect(throws: FilesError(.conflict, "")) {
            try await shop.write("/a/b/f/x", [3], options: options, by: ada)
        }
        await #expect(throws: FilesError(.conflict, "")) { try await shop.write("/a/b", [3], by: ada) }
        await #expect(throws: FilesError(.conflict, "")) { try await shop.write("/", [3], by: ada) }
    }

    @Test("a file keeps its identity, mode and name when it is written again; the time is as asked")
    func rewritten() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        var options = WriteOptions()
        options.modified = Timestamp(nanoseconds: 123)
        try await shop.write("/f", [1], options: options, by: ada)
        let before = try await FindNode(shop.context)(RemotePath("/f"), in: ada.home, by: ada)
        #expect(before.state.modified == Timestamp(nanoseconds: 123))
        shop.clock.advance(by: .seconds(60))
        try await shop.write("/f", [2], by: ada)
        let after = try await FindNode(shop.context)(RemotePath("/f"), in: ada.home, by: ada)
        #expect(after.node == before.node)
        #expect(after.state.mode == before.state.mode)
        #expect(after.state.modified == shop.clock.now())
    }

    @Test("an upload that waits for a block gets it from a whole file, too")
    func settlesOthers() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(Array("shared text".utf8))
        let request = UploadRequest(upload: Ids.upload(1), changes: [file.change("a", node: 1)])
        #expect(try await shop.upload(request, by: ada).missingBlocks?.count == 1)
        try await shop.write("/b", file.bytes, by: ada)
        #expect(shop.takeNotices() == ["pending 0", "uploaded 1", "uploaded 2"])
        #expect(try await shop.read("/a", by: ada) == file.bytes)
    }
}
