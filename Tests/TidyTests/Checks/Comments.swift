/// What comments have to say, and what they may not.
enum Comments {
    /// Marks of unfinished work, in comments of Swift and in the text of scripts and documents.
    static let unfinished = ["FIX" + "ME", "TO" + "DO", "XX" + "X", "for " + "now"]

    static func unfinishedWork(in files: [SourceFile]) -> [Finding] {
        files.flatMap { file in
            let isSwift = file.path.hasSuffix(".swift")
            let lines =
                isSwift
                ? file.tokens.filter(\.isComment).map { (line: $0.line, text: $0.text) }
                : file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
                    .map { (line: $0.offset + 1, text: String($0.element)) }
            return lines.compactMap { line, text in
                unfinished.first { contains(text, word: $0) }
                    .map { Finding(file.path, line: line, "says \"\($0)\": finish it, or make it an issue") }
            }
        }
    }

    /// `@unchecked Sendable` and `nonisolated(unsafe)` without a comment beside or right above that says why it holds.
    static func unreasonedSharing(in files: [SourceFile]) -> [Finding] {
        files.flatMap { file in
            file.code.indices.compactMap { index in
                guard let what = promise(file.code, index), !isReasoned(file, index) else { return nil }
                let problem = "\(what) without a comment beside or right above that says why it holds"
                return Finding(file.path, line: file.code[index].line, problem)
            }
        }
    }

    private static func promise(_ code: [Token], _ index: Int) -> String? {
        guard index + 2 < code.count else { return nil }
        if code[index].text == "@" && code[index + 1].text == "unchecked" { return "@unchecked Sendable" }
        let isUnsafe = code[index + 1].text == "(" && code[index + 2].text == "unsafe"
        return code[index].text == "nonisolated" && isUnsafe ? "nonisolated(unsafe)" : nil
    }

    /// A reason at the type around the declaration covers what is in it.
    private static func isReasoned(_ file: SourceFile, _ index: Int) -> Bool {
        if hasReason(file, line: file.code[index].line) { return true }
        var depth = 0
        for position in stride(from: index, through: 0, by: -1) {
            if file.code[position].text == "}" { depth += 1 }
            if file.code[position].text == "{" { depth -= 1 }
            if depth < 0 { return hasReason(file, line: file.code[position].line) }
        }
        return false
    }

    /// A plain comment counts as it is. A doc comment counts when it speaks of what makes sharing sound.
    private static func hasReason(_ file: SourceFile, line: Int) -> Bool {
        let comments = Dictionary(grouping: file.tokens.filter(\.isComment), by: \.line)
        if comments[line] != nil { return true }
        let words = ["thread", "lock", "mutex", "sendable", "immutable", "never changes"]
        var above = line - 1
        while let comment = comments[above]?.first {
            let text = comment.text.lowercased()
            if comment.kind == .comment || words.contains(where: { text.contains($0) }) { return true }
            above -= 1
        }
        return false
    }

    private static func contains(_ text: String, word: String) -> Bool {
        var rest = Substring(text)
        while let range = rest.firstRange(of: word) {
            let before = range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
            let after = range.upperBound == text.endIndex ? nil : text[range.upperBound]
            if ![before, after].compactMap({ $0 }).contains(where: { $0.isLetter || $0.isNumber }) { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}
