import Metadata
import Model

/// Checks that each kept version of each file of an account can be read.
struct CheckContents: Sendable {
    let setting: CheckSetting
    let account: AccountID
    let memo: PageMemo

    private static let step = 500

    init(setting: CheckSetting, account: AccountID, damage: PackDamage) {
        self.setting = setting
        self.account = account
        memo = PageMemo(account: account, damage: damage)
    }

    /// Goes through the versions of the files of a namespace, and names those that can't be read.
    func check(_ namespace: NamespaceID) async throws {
        let before = memo.count
        var last: KeptFile?
        while true {
            let (start, memo) = (last, memo)
            let (files, damaged) = try await setting.database.read { connection in
                let files = try CheckQueries(connection).keptFiles(in: namespace, after: start, limit: Self.step)
                let damaged = try files.compactMap { file in
                    try memo.fault(of: file.content, connection).map { (file: file, cause: $0) }
                }
                return (files, damaged)
            }
            setting.count { $0.files += UInt64(files.count) }
            for (file, cause) in damaged { try await tell(file, cause, namespace) }
            last = files.last
            if files.count < Self.step { break }
        }
        let pages = UInt64(memo.count - before)
        setting.count { $0.pages += pages }
    }

    private func tell(_ file: KeptFile, _ cause: String, _ namespace: NamespaceID) async throws {
        let path = try await PathFinder(database: setting.database).path(of: file.node, in: namespace, at: file.from)
        let until = file.end.map { ", until \($0)" } ?? ""
        var finding = CheckFinding(
            .file, .damage,
            "\(path ?? "node \(file.node)") of revision \(file.from)\(until) can't be read: \(cause)")
        (finding.account, finding.namespace, finding.node) = (account, namespace, file.node)
        (finding.path, finding.revision, finding.end) = (path, file.from, file.end)
        finding.bytes = file.content.size
        setting.tell(finding)
    }
}
