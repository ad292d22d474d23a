import Foundation

/// Whether what the documents point to is there.
struct Documents {
    /// Every path of the repository.
    let paths: Set<String>
    /// The documents, by path.
    let texts: [String: String]

    init(paths: [String], documents: [SourceFile]) {
        var all = Set(paths)
        for path in paths {
            var folder = path
            while let slash = folder.lastIndex(of: "/") {
                folder = String(folder[..<slash])
                all.insert(folder)
            }
        }
        self.paths = all
        texts = Dictionary(uniqueKeysWithValues: documents.map { ($0.path, $0.text) })
    }

    /// Links in brackets whose file or heading does not exist, and bare mentions of documents below `docs/`.
    func brokenLinks() -> [Finding] {
        texts.sorted { $0.key < $1.key }.flatMap { path, text in
            text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { number, line in
                (Self.links(in: String(line)).compactMap { problem(with: $0, in: path) }
                    + Self.mentions(in: String(line)).filter { !paths.contains($0) }.map { "\($0) does not exist" })
                    .map { Finding(path, line: number + 1, $0) }
            }
        }
    }

    private func problem(with link: String, in path: String) -> String? {
        if link.contains("://") || link.hasPrefix("mailto:") { return nil }
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let target = parts[0].isEmpty ? path : Self.resolve(parts[0], from: path)
        guard paths.contains(target) else { return "links to \(link), which does not exist" }
        guard parts.count == 2, let text = texts[target] else { return nil }
        return Self.anchors(in: text).contains(parts[1]) ? nil : "links to \(link), but there is no such heading"
    }

    private static func resolve(_ link: String, from path: String) -> String {
        var parts = path.split(separator: "/").dropLast().map(String.init)
        for part in link.split(separator: "/") {
            if part == ".." {
                _ = parts.popLast()
            } else if part != "." {
                parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }

    /// What stands in the round brackets of `[text](target)`.
    static func links(in line: String) -> [String] {
        line.components(separatedBy: "](").dropFirst().compactMap { rest in
            rest.firstIndex(of: ")").map { String(rest[..<$0]) }
        }
    }

    /// Words that look like `docs/….md`.
    static func mentions(in line: String) -> [String] {
        let separators = CharacterSet(charactersIn: " \t`'\"(),;:[]<>*|")
        return line.components(separatedBy: separators).compactMap { word in
            let plain = word.hasSuffix(".") ? String(word.dropLast()) : word
            return plain.hasPrefix("docs/") && plain.hasSuffix(".md") ? plain : nil
        }
    }

    /// The anchors of a document's headings, as GitHub forms them.
    static func anchors(in text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
                let title = line.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
                let kept = title.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
                return kept.replacingOccurrences(of: " ", with: "-")
            })
    }
}

/// The records of decisions: numbered from 1 without a gap, each with the same headings.
enum Decisions {
    static let headings = ["## Context", "## Choice", "## Rejected", "## Evidence"]

    static func findings(in documents: [SourceFile]) -> [Finding] {
        let records = documents.filter { $0.isBelow("docs/decisions") && $0.name != "README.md" }
            .sorted { $0.path < $1.path }
        let gaps = records.enumerated().compactMap { index, record -> Finding? in
            let digits = String(index + 1)
            let number = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            return record.name.hasPrefix(number + "-")
                ? nil : Finding(record.path, "the record here should be number \(number)")
        }
        return gaps
            + records.flatMap { record in
                headings.filter { !record.text.contains("\n\($0)\n") }
                    .map { Finding(record.path, "has no heading \"\($0)\"") }
            }
    }
}
