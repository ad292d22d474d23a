import Model
import SyncPlanning

extension UploadPhase {
    /// How many commits may be refused until the rest waits for the next pass.
    private static let mostRefused = 100

    /// Sends to an account that is full what needs no room, and notes of everything else why it waits.
    ///
    /// Some of what needs no room may rest on what is not sent: a name that another file would give up. Such a commit is
    /// refused; it is halved until what is in the way waits alone.
    func sendWhatNeedsNoRoom(_ groups: ArraySlice<[NodeChange]>, _ report: inout Report) async throws {
        guard var full = report.full, !groups.isEmpty else { return }
        let (light, heavy) = try await full.divide(groups, context, link)
        report.full = full
        report.problems += try await problems(of: heavy, full.error)
        let resting = ClientError(
            .overQuota, "it has to wait for other changes: \(full.error.message)")
        var open = light.isEmpty ? [] : [light[...]]
        var refused = 0
        while let portion = open.popLast() {
            if refused > Self.mostRefused {
                report.problems += try await problems(of: Array(portion), resting)
                continue
            }
            var part = Report()
            let stopped = try await sendCommits(Array(portion), &part)
            report.add(part)
            guard let stopped else { continue }
            refused += 1
            let stop = portion.startIndex + stopped.lowerBound..<portion.startIndex + stopped.upperBound
            if stop.upperBound < portion.endIndex { open.append(portion[stop.upperBound...]) }
            if stop.count > 1 {
                let middle = stop.lowerBound + stop.count / 2
                open += [portion[middle..<stop.upperBound], portion[stop.lowerBound..<middle]]
            } else if part.isRefused || part.full != nil {
                report.problems += try await problems(of: Array(portion[stop]), resting)
            }
        }
    }

    /// One for each place that the changes are about. What was removed here has none.
    private func problems(of groups: [[NodeChange]], _ error: ClientError) async throws -> [Problem] {
        if groups.isEmpty { return [] }
        let nodes = groups.joined().map(\.node)
        return try await context.onWorker {
            try context.database.read { connection in
                let view = LocalView(connection, link: link.id)
                return try nodes.compactMap { node in
                    try view.path(of: node, root: .root).map { Problem(path: $0, error) }
                }
            }
        }
    }
}

extension UploadPhase.Report {
    /// Takes in what became of a part of the changes that need no room.
    fileprivate mutating func add(_ part: UploadPhase.Report) {
        committed += part.committed
        lastCommit = max(lastCommit, part.lastCommit)
        dirty.formUnion(part.dirty)
        problems += part.problems
    }
}
