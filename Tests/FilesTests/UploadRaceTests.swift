import Blocks
import Files
import Metadata
import Model
import TestSupport
import Testing
import WireProtocol

@Suite("Uploads at the same time")
struct UploadRaceTests {
    @Test("of two writers of one name, one wins and the other is told who has it")
    func twoWriters() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let phone = try await shop.logIn().principal
        async let first = shop.upload(request(1, "from the laptop"), by: ada)
        async let second = shop.upload(request(2, "from the phone"), by: phone)
        let outcomes = try await [first, second]
        #expect(outcomes.compactMap(\.revision) == [1])
        let loser = try #require(outcomes.compactMap(\.refusals).first)
        let winner = outcomes[0].revision == nil ? Ids.node(2) : Ids.node(1)
        #expect(loser.map(\.reason) == [.nameTaken(by: winner)])
        #expect(try await shop.read("/same", by: ada).starts(with: Array("from the".utf8)))
    }

    private func request(_ number: UInt64, _ text: String) -> UploadRequest {
        let file = SampleFile(Array(text.utf8))
        return UploadRequest(
            upload: Ids.upload(number), changes: [file.change("same", node: number)], blocks: file.blocks)
    }

    @Test("a block that another upload brings between announcement and sending completes both")
    func blockFromAnother() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let phone = try await shop.logIn().principal
        let file = SampleFile(random: 5000, seed: 1)
        for (number, who) in [(UInt64(1), ada), (2, phone)] {
            let request = UploadRequest(
                upload: Ids.upload(number), changes: [file.change("f\(number)", node: number)], pages: file.encodedPages
            )
            #expect(try await shop.upload(request, by: who).missingBlocks?.count == file.blocks.count)
        }
        _ = shop.takeNotices()
        // The phone is faster: both commit, although the laptop sent nothing.
        let sent = try await shop.send(file.blocks, for: Ids.upload(2), by: phone)
        #expect(sent.outcome?.revision != nil)
        #expect(shop.takeNotices() == ["uploaded 1", "uploaded 2"])
        let late = try await shop.send(file.blocks, for: Ids.upload(1), by: ada)
        #expect(late.added == 0)
        #expect(late.outcome?.revision != nil)
        #expect(try await shop.read("/f1", by: ada) == file.bytes)
        #expect(try await shop.read("/f2", by: ada) == file.bytes)
    }

    @Test("a block that arrives between the audit of a request and its transaction is not waited for")
    func blockDuringRequest() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 4000, seed: 2)
        // Many rounds of the same race; whichever way each goes, the upload ends committed.
        for round in 0..<20 {
            let bytes = file.bytes + Array("\(round)".utf8)
            let sample = SampleFile(bytes)
            let request = UploadRequest(
                upload: Ids.upload(UInt64(round)), changes: [sample.change("f\(round)", node: UInt64(round) + 1)],
                pages: sample.encodedPages)
            async let outcome = shop.upload(request, by: ada)
            async let stored = shop.send(sample.blocks, by: ada)
            _ = try await (outcome, stored)
            #expect(try await shop.upload(request, by: ada).revision != nil, "round \(round)")
        }
    }

    @Test("the last two blocks in two batches at once commit once")
    func lastBlocksAtOnce() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for round in 0..<20 {
            let file = SampleFile(random: 900, seed: 100 + UInt64(round))
            let upload = Ids.upload(UInt64(round))
            _ = try await shop.upload(
                UploadRequest(
                    upload: upload, changes: [file.change("f\(round)", node: UInt64(round) + 1)],
                    pages: file.encodedPages),
                by: ada)
            _ = shop.takeNotices()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for block in file.blocks {
                    group.addTask { _ = try await shop.send([block], for: upload, by: ada) }
                }
                try await group.waitForAll()
            }
            #expect(shop.takeNotices() == ["uploaded \(round + 1)"])
        }
    }

    @Test("a crowd of devices loses nothing: every accepted file is there, each revision once")
    func crowd() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        var devices = [ada]
        for number in 1...3 { devices.append(try await shop.logIn(device: "d\(number)").principal) }
        let committed = try await withThrowingTaskGroup(of: [(String, UInt64, [UInt8])].self) { group in
            for (index, device) in devices.enumerated() {
                group.addTask { try await Self.busy(device, index, shop) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(committed.count == 32)
        #expect(Set(committed.map(\.1)) == Set(1...32))
        for (name, _, bytes) in committed { #expect(try await shop.read("/\(name)", by: ada) == bytes) }
    }

    private static func busy(
        _ device: Principal, _ index: Int, _ shop: Workshop
    ) async throws -> [(String, UInt64, [UInt8])] {
        var done: [(String, UInt64, [UInt8])] = []
        for number in 0..<8 {
            // Two devices share each content, so that their blocks meet.
            let file = SampleFile(random: 3000, seed: UInt64(index / 2 * 1000 + number))
            let key = UInt64(index * 1000 + number + 1)
            let name = "d\(index)-\(number)"
            var outcome = try await shop.upload(
                UploadRequest(
                    upload: Ids.upload(key), changes: [file.change(name, node: key)], pages: file.encodedPages),
                by: device)
            if let missing = outcome.missingBlocks {
                let wanted = file.blocks.filter { missing.contains($0.id) }
                let answer = try await shop.send(wanted, for: Ids.upload(key), by: device)
                outcome = try #require(answer.outcome)
            }
            done.append((name, try #require(outcome.revision), file.bytes))
        }
        return done
    }
}
