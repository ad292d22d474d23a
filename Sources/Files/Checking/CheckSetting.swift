public import Blocks
public import Metadata
public import Model
public import Storage
import Synchronization

/// What a check works on, and where it tells what it finds.
public final class CheckSetting: Sendable {
    let database: any MetadataDatabase
    /// The regions that can be read, each opened; with the archive, as the last, when it is at hand.
    let regions: [any PackRegion]
    /// Which of the regions is the archive.
    let archive: Int?
    let keys: [AccountID: AccountKey]
    let workers: WorkerPool
    /// Whether every record is read and opened.
    let isFull: Bool
    /// Whether what one region lacks is written there from another.
    let repairs: Bool
    private let report: @Sendable (CheckFinding) -> Void
    private let summary = Mutex(CheckSummary())

    /// Makes a setting of its parts.
    /// - Parameters:
    ///   - database: accounts, trees, where blocks lie. Nothing must change it meanwhile.
    ///   - regions: the regions that can be read, each opened already; they are written to only for repairs.
    ///   - archive: the archive, opened, when it is at hand; it is only read.
    ///   - keys: the accounts' keys; the records of an account without one are checked by their checksums only.
    ///   - workers: what runs the work of the processor.
    ///   - isFull: whether every record of every region is read, opened and hashed.
    ///   - repairs: whether what one region lacks is written there from another that has it.
    ///   - report: takes each finding when it is made.
    public init(
        database: any MetadataDatabase, regions: [any PackRegion], archive: (any PackRegion)? = nil,
        keys: [AccountID: AccountKey], workers: WorkerPool, isFull: Bool, repairs: Bool,
        report: @escaping @Sendable (CheckFinding) -> Void
    ) {
        self.database = database
        self.regions = regions + (archive.map { [$0] } ?? [])
        self.archive = archive == nil ? nil : regions.count
        self.keys = keys
        self.workers = workers
        self.isFull = isFull
        self.repairs = repairs
        self.report = report
    }

    /// What was found so far.
    public var found: CheckSummary { summary.withLock { $0 } }

    /// Tells a finding, and counts it.
    public func tell(_ finding: CheckFinding) {
        summary.withLock { $0.add(finding) }
        report(finding)
    }

    func count(_ body: (inout CheckSummary) -> Void) { summary.withLock { body(&$0) } }
}

/// Checks everything that a server keeps.
public struct CheckData: Sendable {
    private let setting: CheckSetting

    /// Works on a setting.
    public init(_ setting: CheckSetting) { self.setting = setting }

    /// Does it: trees first, then packs, then whether each kept version of each file can be read, then what is kept
    /// for nothing. Memory is bounded by what is damaged, by the packs, and by the pages of one account.
    /// - Throws: what the database throws; what a region throws becomes a finding.
    @discardableResult
    public func callAsFunction() async throws -> CheckSummary {
        let namespaces = try await setting.database.read { try CheckQueries($0).namespaces() }
        for (namespace, owner) in namespaces {
            try await CheckTree(setting: setting, namespace: namespace, account: owner)()
        }
        let damage = try await CheckPacks(setting: setting)()
        for (account, owned) in Dictionary(grouping: namespaces, by: \.owner).sorted(by: { $0.key < $1.key }) {
            let contents = CheckContents(setting: setting, account: account, damage: damage)
            for (namespace, _) in owned { try await contents.check(namespace) }
            try await FindOrphans(setting: setting, account: account, namespaces: owned.map(\.namespace))(contents.memo)
        }
        return setting.found
    }
}
