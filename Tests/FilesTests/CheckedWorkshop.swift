import Blocks
import Files
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport

/// What a check has found.
struct Checked {
    let findings: [CheckFinding]
    let summary: CheckSummary

    var damage: [CheckFinding] { findings.filter { $0.weight == .damage } }
    var repaired: [CheckFinding] { findings.filter { $0.weight == .repaired } }

    func of(_ kind: CheckFinding.Kind) -> [CheckFinding] { findings.filter { $0.kind == kind } }

    /// The versions of files that are said to be damaged.
    var versions: Set<Version> {
        Set(
            of(.file).compactMap { finding in
                finding.node.flatMap { node in finding.revision.map { Version(node: node, from: $0) } }
            })
    }
}

/// Names a version of a file.
struct Version: Hashable {
    let node: NodeID
    let from: Revision
}

extension Workshop {
    /// Writes a file in many small blocks.
    func put(_ path: String, _ bytes: [UInt8], by principal: Principal) async throws {
        _ = try await WriteFile(context, completion: completion, chunker: SampleFile.chunker)(
            RemotePath(path), body: Pieces(pieces: [bytes]), in: principal.home, by: principal)
    }

    func key(of account: AccountID) async throws -> AccountKey {
        let record = try await database.read { try AccountQueries($0).byID(account)! }
        return try keyRing.unwrap(WrappedKey(masterKey: record.masterKey, bytes: record.wrappedKey), for: account)
    }

    /// Checks what is kept, as it lies in the regions.
    func check(full: Bool = true, repairs: Bool = false) async throws -> Checked {
        let findings = Mutex<[CheckFinding]>([])
        var keys: [AccountID: AccountKey] = [:]
        for account in try await database.read({ try AccountQueries($0).all() }) {
            keys[account.id] = try await key(of: account.id)
        }
        let setting = CheckSetting(
            database: database, regions: regions, keys: keys, workers: WorkerPool(workers: 2), isFull: full,
            repairs: repairs
        ) { finding in findings.withLock { $0.append(finding) } }
        let summary = try await CheckData(setting)()
        return Checked(findings: findings.withLock { $0 }, summary: summary)
    }

    /// All versions of files of a principal's home.
    func versions(of principal: Principal) async throws -> [KeptFile] {
        try await database.read { try CheckQueries($0).keptFiles(in: principal.home, after: nil, limit: .max) }
    }

    /// The bytes of a version; nil when they can't be read.
    func bytes(of file: KeptFile, by principal: Principal) async throws -> [UInt8]? {
        let contents = StoredContents(
            database: database, regions: regions, workers: WorkerPool(workers: 1), account: principal.account,
            key: try await key(of: principal.account))
        var bytes: [UInt8] = []
        do {
            try await contents.read(file.content) { bytes += $0.joined() }
            return bytes
        } catch let error as FilesError where error.code == .corruptData {
            return nil
        }
    }

    /// Runs a statement behind everyone's back.
    func spoil(_ sql: String, _ values: [SQLValue] = []) async throws {
        try await database.write { try $0.execute(sql, values) }
    }

    /// The rows of all blocks of an account.
    func blocks(of principal: Principal) async throws -> [StoredBlock] {
        try await database.read { connection in
            let end = BlockID(Digest(words: (.max, .max, .max, .max)))
            return try CheckQueries(connection).blocks(of: principal.account, after: nil, upTo: end, limit: .max)
        }
    }
}

extension StoredBlock {
    var place: PackLocation { PackLocation(pack: pack, offset: offset, length: length) }
}

extension MemoryDisk {
    /// A short stand-in for all the bytes of all packs: equal for equal disks.
    var fingerprint: [PackID: String] {
        packs.mapValues { bytes in "\(bytes.count) bytes, hash \(bytes.hashValue)" }
    }
}
