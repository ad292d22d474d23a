import Blocks
import Model
import SyncPlanning
import WireProtocol

/// Sends the changes of a plan: commits of up to 2,000 changes, one after the other, since later ones may rest on
/// earlier ones. While one is on its way the next is prepared.
struct UploadPhase {
    let context: EngineContext
    let link: EngineLink
    let folder: LinkedFolder

    /// What came of it.
    struct Report: Sendable {
        /// How many changes were committed.
        var committed = 0
        /// Whether the server refused a commit, because it rests on a state that is no longer the present one. The
        /// rest was not sent: what the server has now has to be fetched first.
        var isRefused = false
        /// Set when the account is full: what brings new bytes has to wait.
        var full: FullAccount?
        /// The revision of the last commit.
        var lastCommit = Revision.zero
        var problems: [Problem] = []
        var dirty: Set<LocalPath> = []
    }

    /// Sends groups of changes.
    /// - Parameters:
    ///   - groups: The changes, each group to be within one commit.
    ///   - full: What is known of the account when it is full: only what needs no room is sent then.
    /// - Returns: What came of it.
    /// - Throws: ``ClientError`` for what concerns more than single files.
    func run(_ groups: [[NodeChange]], full: FullAccount? = nil) async throws -> Report {
        var report = Report()
        report.full = full
        if groups.isEmpty { return report }
        let changes = groups.joined()
        context.progress.begin(.sending, files: changes.count, bytes: changes.reduce(0) { $0 + $1.contentSize })
        var start = 0
        if full == nil {
            guard let stopped = try await sendCommits(groups, &report), report.full != nil else { return report }
            start = stopped.lowerBound
        }
        try await sendWhatNeedsNoRoom(groups[start...], &report)
        return report
    }

    /// Sends groups, commit after commit, until one is not taken.
    /// - Returns: The places of the groups of that commit; nil when all went.
    func sendCommits(_ groups: [[NodeChange]], _ report: inout Report) async throws -> Range<Int>? {
        let preparation = UploadPreparation(context: context, link: link, folder: folder, groups: groups)
        var start = 0
        var current = try await context.workers.run { try preparation.run(from: 0, with: $0.encoder) }
        while true {
            report.problems += current.problems
            report.dirty.formUnion(current.dirty)
            let next = current.next
            async let upcoming =
                next < groups.count
                ? context.workers.run { try preparation.run(from: next, with: $0.encoder) } : nil
            if !current.upload.changes.isEmpty {
                let isCommitted = try await send(current.upload, &report)
                if !isCommitted { return start..<next }
            }
            guard let following = try await upcoming else { return nil }
            current = following
            start = next
        }
    }

    /// - Returns: Whether to go on with the next commit.
    private func send(_ upload: PreparedUpload, _ report: inout Report) async throws -> Bool {
        let before = context.progress.current.bytesDone
        var generator = context.random
        let delivery = UploadDelivery(
            context: context, link: link, folder: folder, upload: upload, id: UploadID(using: &generator))
        do {
            guard let revision = try await delivery.run() else {
                report.isRefused = true
                return false
            }
            report.lastCommit = revision
            report.committed += upload.changes.count
            context.progress.advance(files: upload.changes.count)
            context.progress.reach(bytes: before + upload.changes.reduce(0) { $0 + $1.contentSize })
            return true
        } catch let error as ClientError where error.concernsContent {
            // A file was written to while it was on its way. What is behind this commit may rest on it.
            for (file, _) in upload.contents where (try? file.open(in: folder)) == nil {
                report.problems.append(Problem(path: file.path, error))
                report.dirty.insert(file.path.parent ?? .root)
            }
            if report.dirty.isEmpty { report.dirty.insert(.root) }
            return false
        } catch let error as ClientError where error.code == .overQuota {
            report.full = FullAccount(error: error)
            return false
        }
    }
}

extension NodeChange {
    /// The bytes of the file that the change is about; 0 when it is about none.
    fileprivate var contentSize: UInt64 { state?.payload.content?.size ?? 0 }
}
