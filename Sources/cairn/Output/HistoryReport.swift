import ArgumentParser
import WireProtocol

/// Shows what a restore, a rewind or an undo did.
enum HistoryReport {
    /// Writes it, and ends with 1 when something was left as it is.
    static func show(_ answer: HistoryAnswer, json: Bool) throws {
        if json {
            Terminal.line(try JSONOutput.text(answer))
        } else {
            lines(answer).forEach(Terminal.line)
            left(answer).forEach(Terminal.error)
        }
        if answer.leftCount > 0 { throw ExitStatus.waiting }
    }

    private static func lines(_ answer: HistoryAnswer) -> [String] {
        let width = answer.changes.map(\.kind.count).max() ?? 0
        var lines = answer.changes.map { change in
            let padding = String(repeating: " ", count: width - change.kind.count)
            let target = change.to.map { " -> \(Terminal.printable($0))" } ?? ""
            return "\(change.kind)\(padding)  \(Terminal.printable(change.path))\(target)"
        }
        let more = answer.changed - answer.changes.count
        if more > 0 { lines.append("... and \(more) more") }
        lines.append(summary(answer))
        return lines
    }

    private static func summary(_ answer: HistoryAnswer) -> String {
        guard answer.changed > 0 else { return "nothing to do: revision \(answer.revision) is that way already" }
        let nodes = answer.changed == 1 ? "1 change" : "\(answer.changed) changes"
        let commits = answer.commits == 1 ? "one commit" : "\(answer.commits) commits"
        if answer.dryRun { return "would be \(nodes) in \(commits); nothing was changed" }
        return "\(nodes) in \(commits): now at revision \(answer.revision)"
    }

    private static func left(_ answer: HistoryAnswer) -> [String] {
        var lines = answer.left.map { node in
            "left as it is: \(Terminal.printable(node.path)): \(Terminal.printable(node.detail))"
        }
        let more = answer.leftCount - answer.left.count
        if more > 0 { lines.append("... and \(more) more left as they are") }
        return lines
    }
}
