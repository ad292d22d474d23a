import Files
import Metadata
import Model
import Storage
import TestSupport
import Testing
import WireProtocol

@Suite("Uploads that are withdrawn, or replaced by a newer one of their device")
struct WithdrawTests {
    private func request(
        _ number: UInt64, _ file: SampleFile, _ name: String, node: UInt64, base: UInt64 = 0
    ) -> UploadRequest {
        UploadRequest(
            upload: Ids.upload(number), changes: [file.change(name, node: node, base: base)], pages: file.encodedPages)
    }

    private func state(_ number: UInt64, _ shop: Workshop) async throws -> UploadState? {
        try await shop.database.read { try UploadQueries($0).byID(Ids.upload(number))?.state }
    }

    private func missing(_ number: UInt64, _ shop: Workshop) async throws -> Int {
        try await shop.database.read { try UploadQueries($0).missing(Ids.upload(number), limit: 100).count }
    }

    // MARK: Replaced

    @Test("an abandoned upload does not commit when its blocks come with a newer one of the same node")
    func abandoned() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 4000, seed: 1)
        #expect(try await shop.upload(request(1, file, "before", node: 7), by: ada).missingBlocks != nil)
        // The user renames the file, the device is started anew and plans again.
        #expect(try await shop.upload(request(2, file, "after", node: 7), by: ada).missingBlocks != nil)
        #expect(try await state(1, shop) == .superseded)
        #expect(try await missing(1, shop) == 0)
        let sent = try await shop.send(file.blocks, for: Ids.upload(2), by: ada)
        #expect(sent.outcome?.revision == 1)
        #expect(try await shop.read("/after", by: ada) == file.bytes)
        await #expect(throws: FilesError(.notFound, "")) { try await shop.read("/before", by: ada) }
    }

    @Test("a newer upload replaces the older one also when it commits at once")
    func commitsAtOnce() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let (old, new) = (SampleFile(random: 3000, seed: 1), SampleFile(Array("short".utf8)))
        _ = try await shop.upload(request(1, old, "f", node: 7), by: ada)
        var newer = request(2, new, "f", node: 7)
        newer.blocks = new.blocks
        #expect(try await shop.upload(newer, by: ada).revision == 1)
        #expect(try await state(1, shop) == .superseded)
        _ = try await shop.send(old.blocks, by: ada)
        #expect(try await shop.read("/f", by: ada) == new.bytes)
        #expect(try await shop.head(of: ada).revision == Revision(1))
    }

    @Test("a newer upload that is refused replaces the older one as well: that is no more what the device means")
    func refusedNewer() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 1)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        let removal = UploadRequest(
            upload: Ids.upload(2), changes: [NodeChange(node: Ids.node(7), base: Revision(5), state: nil)])
        #expect(try await shop.upload(removal, by: ada).refusals?.count == 1)
        #expect(try await state(1, shop) == .superseded)
    }

    @Test("another node at the same name replaces it too")
    func sameName() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 1)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        _ = try await shop.upload(request(2, file, "f", node: 8), by: ada)
        #expect(try await state(1, shop) == .superseded)
        #expect(try await shop.send(file.blocks, for: Ids.upload(2), by: ada).outcome?.revision == 1)
        let record = try await FindNode(shop.context)(RemotePath("/f"), in: ada.home, by: ada)
        #expect(record.node == Ids.node(8))
    }

    @Test("an announcement of a large file counts, and gives way")
    func announcements() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        func announce(_ number: UInt64, _ name: String, node: UInt64) async throws {
            let item = WireProtocol.UploadItem(node: Ids.node(node), parent: .root, name: try NodeName(name), size: 9)
            _ = try await shop.upload(
                UploadRequest(upload: Ids.upload(number), complete: false, items: [item]), by: ada)
        }
        try await announce(1, "film", node: 7)
        try await announce(2, "song", node: 8)
        #expect(try await state(1, shop) == .pending)
        try await announce(3, "film, cut", node: 7)
        #expect(try await state(1, shop) == .superseded)
        try await announce(4, "song", node: 9)
        #expect(try await state(2, shop) == .superseded)
        #expect(try await state(3, shop) == .pending)
    }

    @Test("uploads of other devices, of other nodes, and the same upload again are left alone")
    func leftAlone() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let phone = try await shop.logIn().principal
        let file = SampleFile(random: 3000, seed: 1)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: phone)
        _ = try await shop.upload(request(2, file, "g", node: 8), by: ada)
        _ = try await shop.upload(request(3, file, "f", node: 7), by: ada)
        _ = try await shop.upload(request(3, file, "f", node: 7), by: ada)
        for number in [1, 2, 3] as [UInt64] { #expect(try await state(number, shop) == .pending) }
    }

    @Test("whoever speaks of a replaced upload is told, and nothing of it takes effect")
    func told() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 1)
        let old = request(1, file, "f", node: 7)
        _ = try await shop.upload(old, by: ada)
        _ = try await shop.upload(request(2, file, "g", node: 7), by: ada)
        let superseded = FilesError(.uploadSuperseded, "")
        await #expect(throws: superseded) { try await shop.upload(old, by: ada) }
        await #expect(throws: superseded) { try await shop.send(file.blocks, for: old.upload, by: ada) }
        await #expect(throws: superseded) { try await shop.completion.complete(old.upload) }
        await #expect(throws: superseded) {
            try await StorePages(shop.context)(file.encodedPages, of: old.upload, by: ada)
        }
        #expect(try await missing(2, shop) == file.blocks.count)
        _ = try await shop.send(file.blocks, by: ada)
        await #expect(throws: superseded) { try await shop.upload(old, by: ada) }
        #expect(try await shop.head(of: ada).revision == Revision(1))
    }

    @Test("the others no longer see as on its way what was replaced, whatever became of the newer request")
    func notices() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 1)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        _ = shop.takeNotices()
        let removal = UploadRequest(
            upload: Ids.upload(2), changes: [NodeChange(node: Ids.node(7), base: Revision(5), state: nil)])
        _ = try await shop.upload(removal, by: ada)
        #expect(shop.takeNotices() == ["pending 0"])
        #expect(try await ListPendingUploads(shop.context)(in: ada.home, by: ada).isEmpty)
    }

    @Test("a replaced upload stays so over a restart")
    func restart() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 1)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        _ = try await shop.upload(request(2, file, "g", node: 7), by: ada)
        try await shop.database.close()
        try await shop.store.close()
        let after = try await Workshop(after: shop)
        #expect(try await after.send(file.blocks, for: Ids.upload(2), by: ada).outcome?.revision == 1)
        await #expect(throws: FilesError(.uploadSuperseded, "")) {
            try await after.upload(request(1, file, "f", node: 7), by: ada)
        }
    }

    @Test("of two requests for one node at the same time exactly one commits", arguments: 0..<10)
    func race(round: Int) async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 1500, seed: UInt64(round))
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        // The last block of the older one arrives while the newer request does.
        async let sent = Result.catching { try await shop.send(file.blocks, for: Ids.upload(1), by: ada).outcome }
        async let newer = shop.upload(request(2, file, "g", node: 7), by: ada)
        let (older, outcome) = try await (sent, newer)
        switch try await state(1, shop) {
        case .uploaded?:
            #expect(outcome.revision == nil)
            #expect(try await shop.read("/f", by: ada) == file.bytes)
        case .superseded?:
            #expect((try? older.get()) ?? nil == nil)
            // The newer one found all of the blocks, or still waits for them.
            if outcome.revision == nil { _ = try await shop.send(file.blocks, for: Ids.upload(2), by: ada) }
            #expect(try await shop.read("/g", by: ada) == file.bytes)
        case let other: Issue.record("the older upload is \(String(describing: other))")
        }
        #expect(try await shop.head(of: ada).revision == Revision(1))
    }

    // MARK: Withdrawn

    @Test("a pending upload is withdrawn, once and again, and never commits")
    func withdrawn() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 1)
        let withdraw = WithdrawUpload(shop.context)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        _ = shop.takeNotices()
        #expect(try await withdraw(Ids.upload(1), by: ada) == nil)
        #expect(shop.takeNotices() == ["pending 0"])
        #expect(try await withdraw(Ids.upload(1), by: ada) == nil)
        #expect(shop.takeNotices().isEmpty)
        #expect(try await missing(1, shop) == 0)
        _ = try await shop.send(file.blocks, by: ada)
        await #expect(throws: FilesError(.uploadSuperseded, "")) {
            try await shop.upload(request(1, file, "f", node: 7), by: ada)
        }
        #expect(try await shop.head(of: ada).revision == .zero)
    }

    @Test("what was decided is told instead: a commit, and a refusal")
    func decided() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let withdraw = WithdrawUpload(shop.context)
        let file = SampleFile(random: 3000, seed: 1)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        let committed = try await shop.send(file.blocks, for: Ids.upload(1), by: ada).outcome
        #expect(try await withdraw(Ids.upload(1), by: ada) == committed)
        let refused = try await shop.upload(request(2, file, "f", node: 8), by: ada)
        #expect(refused.refusals != nil)
        #expect(try await withdraw(Ids.upload(2), by: ada) == refused)
        var direct = request(3, file, "g", node: 9)
        direct.blocks = file.blocks
        let outcome = try await shop.upload(direct, by: ada)
        #expect(outcome.revision == 2)
        #expect(try await withdraw(Ids.upload(3), by: ada) == outcome)
    }

    @Test("an id that was never seen is withdrawn beforehand: the request that comes late is refused")
    func beforehand() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(Array("late".utf8))
        #expect(try await WithdrawUpload(shop.context)(Ids.upload(1), by: ada) == nil)
        var late = request(1, file, "f", node: 7)
        late.blocks = file.blocks
        await #expect(throws: FilesError(.uploadSuperseded, "")) { try await shop.upload(late, by: ada) }
        #expect(try await shop.head(of: ada).revision == .zero)
        // It is forgotten when no request can be on its way any more.
        shop.clock.advance(by: .seconds(40 * 86_400))
        try await ExpireUploads(shop.context)()
        #expect(try await state(1, shop) == nil)
    }

    @Test("an upload that expired is withdrawn too, so that it can't be sent again")
    func expired() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 1)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        shop.clock.advance(by: .seconds(2 * 86_400))
        #expect(try await ExpireUploads(shop.context)() == 1)
        #expect(try await WithdrawUpload(shop.context)(Ids.upload(1), by: ada) == nil)
        #expect(try await state(1, shop) == .withdrawn)
    }

    @Test("nobody withdraws what another device or another account sends")
    func strangers() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let phone = try await shop.logIn().principal
        let eve = try await shop.account("eve")
        let file = SampleFile(random: 3000, seed: 1)
        let withdraw = WithdrawUpload(shop.context)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        await #expect(throws: FilesError(.conflict, "")) { try await withdraw(Ids.upload(1), by: phone) }
        await #expect(throws: FilesError(.notFound, "")) { try await withdraw(Ids.upload(1), by: eve) }
        #expect(try await shop.send(file.blocks, for: Ids.upload(1), by: ada).outcome?.revision == 1)
        await #expect(throws: FilesError(.conflict, "")) { try await withdraw(Ids.upload(1), by: phone) }
    }

    @Test("a withdrawal and the last block at the same time: exactly one of them wins", arguments: 0..<20)
    func withdrawalRace(round: Int) async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 900, seed: UInt64(round))
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        async let sent = Result.catching { try await shop.send(file.blocks, for: Ids.upload(1), by: ada).outcome }
        async let withdrawal = WithdrawUpload(shop.context)(Ids.upload(1), by: ada)
        let (answer, outcome) = try await (sent, withdrawal)
        if let outcome {
            #expect(outcome.revision == 1)
            #expect(try answer.get()?.revision == 1)
            #expect(try await state(1, shop) == .uploaded)
        } else {
            #expect((try? answer.get()) ?? nil == nil)
            #expect(try await state(1, shop) == .withdrawn)
            #expect(try await shop.head(of: ada).revision == .zero)
        }
        // After a restart it is still the same.
        try await shop.database.close()
        try await shop.store.close()
        let after = try await Workshop(after: shop)
        #expect(try await WithdrawUpload(after.context)(Ids.upload(1), by: ada) == outcome)
    }

    @Test("a withdrawal between the look of the completion and its commit holds")
    func withinCompletion() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 900, seed: 3)
        _ = try await shop.upload(request(1, file, "f", node: 7), by: ada)
        _ = try await shop.send(Array(file.blocks.dropLast()), by: ada)
        // All calls of the completion run beside the withdrawals; a commit after a withdrawal would show.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await shop.send(file.blocks, by: ada) }
            for _ in 0..<5 {
                group.addTask { _ = try? await shop.completion.complete(Ids.upload(1)) }
                group.addTask { _ = try await WithdrawUpload(shop.context)(Ids.upload(1), by: ada) }
            }
            try await group.waitForAll()
        }
        let final = try await state(1, shop)
        #expect(try await shop.head(of: ada).revision == (final == .uploaded ? Revision(1) : .zero))
        #expect(final == .uploaded || final == .withdrawn)
    }

    @Test("a file that is written as a whole can be withdrawn on its way")
    func wholeFile() async throws {
        var limits = FilesLimits()
        limits.window = 1000
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        let bytes = SampleFile(random: 5000, seed: 4).bytes
        let pieces = WithdrawingPieces(parts: [Array(bytes[..<3000]), Array(bytes[3000...])]) {
            let pending = try await ListPendingUploads(shop.context)(in: ada.home, by: ada)
            let upload = try #require(pending.first?.upload)
            #expect(try await WithdrawUpload(shop.context)(upload, by: ada) == nil)
        }
        await #expect(throws: FilesError(.uploadSuperseded, "")) {
            try await WriteFile(shop.context, completion: shop.completion)(
                RemotePath("/f"), body: pieces, in: ada.home, by: ada)
        }
        #expect(try await shop.head(of: ada).revision == .zero)
    }
}

/// A body that does something before its last part.
private struct WithdrawingPieces: AsyncSequence {
    typealias Element = [UInt8]
    typealias Failure = any Error

    let parts: [[UInt8]]
    let beforeLast: @Sendable () async throws -> Void

    func makeAsyncIterator() -> Iterator { Iterator(rest: parts[...], beforeLast: beforeLast) }

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<[UInt8]>
        let beforeLast: @Sendable () async throws -> Void

        mutating func next() async throws -> [UInt8]? {
            if rest.count == 1 { try await beforeLast() }
            return rest.popFirst()
        }
    }
}

extension Result where Failure == any Error {
    /// What became of an operation.
    static func catching(_ operation: () async throws -> Success) async -> Self {
        do { return .success(try await operation()) } catch { return .failure(error) }
    }
}
