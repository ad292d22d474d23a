import ArgumentParser
import Foundation
import Metadata
import Model
import Storage
import StorageLocal
import Synchronization
import TestSupport
import Testing

@testable import cairn_server

@Suite("Backups of what is damaged, and to places that were left unfinished")
struct BackupDamageTests {
    private struct Killed: Error {}

    private let directory = TemporaryDirectory()
    private let clock = ManualClock()
    private var data: String { directory.appending("data") }
    private var second: String { directory.appending("second") }
    private var backup: BackupFolder { BackupFolder(path: directory.appending("backup")) }

    private func bytes(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    @discardableResult
    private func write(
        regions: [String]? = nil, beforePack: @escaping @Sendable (PackID) async throws -> Void = { _ in }
    ) async throws -> WriteBackup.Outcome {
        let folder = try DataFolder(data, create: false)
        var write = WriteBackup(
            folder: folder, destination: backup,
            regions: (regions ?? [folder.packs]).map { ReadOnlyPackRegion(directory: $0) }, clock: clock,
            withKeyRing: true)
        write.beforePack = beforePack
        return try await write()
    }

    private func fsck(_ path: String) async throws -> Int32 {
        try await FsckRun(
            installation: try Installation(at: path), regions: [], isFull: true, repairs: false,
            report: FsckReport(isJSON: true, isVerbose: false))()
    }

    /// The blocks of all packs, in the order of their places.
    private func blocks(_ served: ServedFolder) async throws -> [StoredBlock] {
        try await served.read { connection in
            let queries = CheckQueries(connection)
            var (found, pack): ([StoredBlock], PackID?) = ([], nil)
            while let next = try queries.namedPack(after: pack) {
                found += try queries.blocks(in: next, after: nil, limit: .max).map(\.block)
                pack = next
            }
            return found
        }
    }

    /// Turns over a bit of a block in a region.
    private func spoil(_ block: StoredBlock, in region: String) throws {
        let path = try #require(try ServedFolder.packs(region).first { $0.contains(block.pack.hex) })
        try ServedFolder.flip(path, at: Int(block.offset) + 3)
    }

    @Test("a record that one region has damaged is taken from the other")
    func otherRegion() async throws {
        let served = try await ServedFolder(data, regions: [second])
        try await served.put("/one", bytes(9000, 1))
        let (packs, blocks) = (served.folder.packs, try await blocks(served))
        try await served.close()
        try #require(blocks.count > 10)
        for (number, block) in blocks.enumerated() { try spoil(block, in: number % 2 == 0 ? packs : second) }
        let manifest = try await write(regions: [packs, second]).manifest
        #expect(manifest.damaged == nil && manifest.lost.isEmpty)
        #expect(try await fsck(backup.path) == 0)
    }

    @Test("a record that no region has whole is named, all else is saved, and the next backup looks again")
    func damaged() async throws {
        var served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await served.close()
        served = try await ServedFolder(data, seed: 2)
        try await served.put("/two", bytes(9000, 2))
        let (packs, blocks) = (served.folder.packs, try await blocks(served))
        let account = served.account.id
        try await served.close()
        let victim = blocks[5]
        try spoil(victim, in: packs)
        for copies in [2, 1] {
            let outcome = try await write()
            #expect(outcome.manifest.damaged == [BackupManifest.Block(victim, of: account)])
            #expect(outcome.manifest.packs.count == 2 && outcome.manifest.lost.isEmpty)
            #expect(outcome.copiedPacks == copies, "one that is damaged is tried again")
            #expect(try await fsck(backup.path) == 4)
        }
        let restore = RestoreBackup(
            backup: backup, target: directory.appending("restored"), keyRing: nil, clock: clock)
        #expect(try await restore().damaged?.count == 1)
        try spoil(victim, in: packs)  // It is whole again.
        let mended = try await write()
        #expect(mended.manifest.damaged == nil && mended.copiedPacks == 1)
        #expect(try await fsck(backup.path) == 0)
    }

    @Test("what the backup has whole from before is not lost when the server's copy is damaged later")
    func formerCopy() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await write()
        let victim = try await blocks(served)[4]
        try await served.put("/two", bytes(9000, 2))
        try spoil(victim, in: served.folder.packs)
        let outcome = try await write()
        #expect(outcome.copiedPacks == 1, "the pack grew")
        #expect(outcome.manifest.damaged == nil)
        #expect(try await fsck(backup.path) == 0)
        try await served.close()
    }

    @Test("a damaged copy that a backup has left which was cut off is not taken for a whole one")
    func cutOff() async throws {
        for number in 1...2 as ClosedRange<UInt64> {
            let served = try await ServedFolder(data, seed: number)
            try await served.put("/\(number)", bytes(9000, number))
            try await served.close()
        }
        let served = try await ServedFolder(data, seed: 3)
        let (packs, blocks) = (served.folder.packs, try await blocks(served))
        try await served.close()
        // The first pack is copied with its damage, and the second one never.
        try spoil(blocks[5], in: packs)
        await #expect(throws: Killed.self) {
            try await write { pack in if pack != blocks[0].pack { throw Killed() } }
        }
        #expect(try backup.packs() == [blocks[0].pack])
        try spoil(blocks[5], in: packs)
        let outcome = try await write()
        #expect(outcome.copiedPacks == 2 && outcome.manifest.damaged == nil)
        #expect(try await fsck(backup.path) == 0)
    }

    @Test("a copy that is whole is kept, after a backup that was cut off")
    func cutOffWhole() async throws {
        for number in 1...2 as ClosedRange<UInt64> {
            let served = try await ServedFolder(data, seed: number)
            try await served.put("/\(number)", bytes(9000, number))
            try await served.close()
        }
        let count = Mutex(0)
        await #expect(throws: Killed.self) {
            try await write { _ in
                let isSecond = count.withLock { count in
                    count += 1
                    return count == 2
                }
                if isSecond { throw Killed() }
            }
        }
        #expect(try await write().copiedPacks == 1)
        #expect(try await fsck(backup.path) == 0)
    }

    @Test("a pack that has lost its end in every region is saved up to there")
    func cutPack() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        let (packs, blocks) = (served.folder.packs, try await blocks(served))
        try await served.close()
        let victims = blocks.suffix(3)
        let path = try #require(try ServedFolder.packs(packs).first)
        #expect(truncate(path, off_t(victims[victims.startIndex].offset) + 3) == 0)
        let manifest = try await write().manifest
        #expect(manifest.damaged?.map(\.offset) == victims.map(\.offset))
        #expect(manifest.packs.count == 1 && manifest.lost.isEmpty)
        #expect(try await fsck(backup.path) == 4)
    }

    @Test(
        "a file where a folder is to be is named before anything is done",
        arguments: ["packs", "packs/packs", "packs/packs/notes"])
    func fileInTheWay(_ place: String) async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(900, 1))
        try await write()
        try await served.put("/two", bytes(900, 2))
        let before = try Data(contentsOf: URL(fileURLWithPath: backup.manifest))
        let path = "\(backup.path)/\(place)"
        try? FileManager.default.moveItem(atPath: path, toPath: directory.appending("aside"))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        let failure = try await #require(throws: Failure.self) { try await write() }
        #expect(failure.code == .configuration && failure.message.contains("\(path) is not a folder"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: backup.manifest)) == before)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("mine".utf8))
        try FileManager.default.removeItem(atPath: path)
        try? FileManager.default.moveItem(atPath: directory.appending("aside"), toPath: path)
        try await write()
        #expect(try await fsck(backup.path) == 0)
        try await served.close()
    }

    @Test("a folder that was made right before a kill is taken on", arguments: ["", "c", "cairn-backup 1\n"])
    func begunBackup(_ beginning: String) async throws {
        let served = try await ServedFolder(data)
        try await served.close()
        try FileManager.default.createDirectory(atPath: backup.path, withIntermediateDirectories: false)
        try Data(beginning.utf8).write(to: URL(fileURLWithPath: backup.mark + ".new"))
        try await write()
        #expect(try backup.load().packs.isEmpty)
        #expect(access(backup.mark + ".new", F_OK) != 0)
    }

    @Test("a folder that only looks like that is left alone", arguments: ["another", "cairn-backup 1\n\n", "beside"])
    func foreignFolder(_ what: String) async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(900, 1))
        try await served.close()
        let draft = directory.appending("restored.restoring")
        try await write()
        let other = BackupFolder(path: directory.appending("other"))
        for (folder, mark) in [(other.path, other.mark), (draft, draft + "/restoring")] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            let text = what == "beside" ? "" : what
            try Data(text.utf8).write(to: URL(fileURLWithPath: mark + ".new"))
            if what == "beside" { try Data().write(to: URL(fileURLWithPath: folder + "/mine")) }
        }
        let refused = try #require(throws: Failure.self) { try other.begin() }
        #expect(refused.code == .configuration)
        let restore = RestoreBackup(
            backup: backup, target: directory.appending("restored"), keyRing: nil, clock: clock)
        let inTheWay = try await #require(throws: Failure.self) { try await restore() }
        #expect(inTheWay.code == .configuration && inTheWay.message.contains(draft))
        #expect(FileManager.default.fileExists(atPath: draft + "/restoring.new"))
    }

    @Test(
        "a restore that was killed before its mark was there is repeated",
        arguments: [nil, "", "unfin", "unfinished\n"])
    func begunRestore(_ beginning: String?) async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(900, 1))
        try await served.close()
        try await write()
        let target = directory.appending("restored")
        try FileManager.default.createDirectory(atPath: target + ".restoring", withIntermediateDirectories: false)
        if let beginning {
            try Data(beginning.utf8).write(to: URL(fileURLWithPath: target + ".restoring/restoring.new"))
        }
        _ = try await RestoreBackup(backup: backup, target: target, keyRing: nil, clock: clock)()
        #expect(try await fsck(target) == 0)
    }

    @Test("the command ends with 1 when something is damaged, and with 0 when nothing is")
    func command() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        let (packs, blocks) = (served.folder.packs, try await blocks(served))
        try await served.close()
        func run() async throws -> Int32 {
            let parsed = try CairnServer.parseAsRoot(["backup", backup.path, "--data", data])
            var command = try #require(parsed as? any AsyncParsableCommand)
            do {
                try await command.run()
                return 0
            } catch let code as ExitCode { return code.rawValue }
        }
        #expect(try await run() == 0)
        try FileManager.default.removeItem(atPath: backup.path)
        try spoil(blocks[2], in: packs)
        #expect(try await run() == 1)
    }
}
