import Blocks
import Files
import Foundation
import Metadata
import MetadataSQLite
import Model
import Storage

/// Checks a data directory: opens what is to be looked at, and says with which code the command ends.
struct FsckRun {
    /// The bits of the exit code, those of fsck(8).
    enum ExitBits {
        /// There was damage, and it was repaired.
        static let repaired: Int32 = 1
        /// There is damage left.
        static let damaged: Int32 = 4
        /// Not everything could be looked at.
        static let unchecked: Int32 = 8
    }

    let installation: Installation
    let regions: [String]
    var archive: String?
    let isFull: Bool
    let repairs: Bool
    let report: FsckReport

    /// Does it.
    /// - Returns: the exit code.
    /// - Throws: ``Failure`` and the errors of the layers, when the check could not begin.
    func callAsFunction() async throws -> Int32 {
        if repairs, installation.isBackup { throw Failure(.usage, "a backup is not repaired: make another one") }
        if repairs, !installation.buckets.isEmpty {
            throw Failure(.usage, "buckets are repaired by a server with the role maintenance, while it runs")
        }
        if !installation.buckets.isEmpty {
            Output.note("cairn-server: what servers write meanwhile may be named as missing: best is to stop them")
        }
        let lock = try installation.folder?.keepStill(for: "cairn-server fsck")
        defer { if let lock { close(lock) } }
        let database = try await installation.metadata.reader()
        let accounts = try await database.read { try AccountQueries($0).all() }
        report.learn(accounts)
        let hand = try await RegionsAtHand.open(
            installation, named: regions, archive: archive, database: database, writing: repairs)
        let (keys, lacks) = unwrap(accounts)
        let setting = CheckSetting(
            database: database, regions: hand.regions, archive: hand.archive, keys: keys,
            workers: WorkerPool(workers: ProcessInfo.processInfo.activeProcessorCount), isFull: isFull,
            repairs: repairs, report: report.tell)
        for lack in lacks { setting.tell(lack) }
        for (path, cause) in hand.missing {
            var finding = CheckFinding(.region, .unchecked, cause)
            finding.region = path
            setting.tell(finding)
        }
        try await check(database, setting)
        await hand.close()
        try await database.close()
        let code = Self.exitCode(setting.found)
        report.tell(setting.found, exit: code)
        return code
    }

    private func check(_ database: any MetadataDatabase, _ setting: CheckSetting) async throws {
        do {
            // A database server looks after its own files.
            for fault in try await (database as? SQLiteMetadataReader)?.fileFaults(limit: 100) ?? [] {
                setting.tell(CheckFinding(.database, .damage, "\(installation.databaseName): \(fault)"))
            }
            try await CheckData(setting)()
        } catch let error as MetadataError where error.code == .corrupt {
            setting.tell(CheckFinding(.database, .damage, "\(installation.databaseName): \(error.message)"))
            setting.tell(CheckFinding(.unchecked, .unchecked, "the rest can't be looked at: the database is damaged"))
        }
    }

    /// The keys of the accounts, and what to tell of those that can't be had.
    private func unwrap(_ accounts: [AccountRecord]) -> (keys: [AccountID: AccountKey], lacks: [CheckFinding]) {
        let ring: KeyRing
        do { ring = try KeyRingFile(path: installation.keyRing).keyRing() } catch {
            let cause = Failure(describing: error).message
            // A backup is kept apart from its keyring, on purpose.
            let weight: CheckFinding.Weight = installation.isBackup ? .unchecked : .damage
            return accounts.isEmpty
                ? ([:], [])
                : ([:], [CheckFinding(.key, weight, "\(cause): records are checked by their checksums only")])
        }
        var keys: [AccountID: AccountKey] = [:]
        var lacks: [CheckFinding] = []
        for account in accounts {
            do {
                keys[account.id] = try ring.unwrap(
                    WrappedKey(masterKey: account.masterKey, bytes: account.wrappedKey), for: account.id)
            } catch {
                var finding = CheckFinding(.key, .damage, Failure(describing: error).message)
                finding.account = account.id
                lacks.append(finding)
            }
        }
        return (keys, lacks)
    }

    static func exitCode(_ summary: CheckSummary) -> Int32 {
        (summary.total(.repaired) > 0 ? ExitBits.repaired : 0)
            | (summary.total(.damage) > 0 ? ExitBits.damaged : 0)
            | (summary.total(.unchecked) > 0 ? ExitBits.unchecked : 0)
    }
}
