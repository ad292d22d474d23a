import Foundation

/// A text of the repository, with its tokens when it is Swift.
struct SourceFile {
    /// Relative to the top of the repository: `Sources/Model/Node.swift`.
    let path: String
    let text: String
    let tokens: [Token]
    /// The tokens without comments.
    let code: [Token]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        tokens = path.hasSuffix(".swift") ? Lexer.tokens(of: text) : []
        code = tokens.filter { !$0.isComment }
    }

    /// A final line without an end counts too.
    var lineCount: Int {
        let bytes = text.utf8
        let ends = bytes.reduce(into: 0) { count, byte in if byte == UInt8(ascii: "\n") { count += 1 } }
        return bytes.isEmpty || bytes.last == UInt8(ascii: "\n") ? ends : ends + 1
    }

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The target that the file belongs to: the folder below `Sources` or `Tests`.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : nil
    }

    func isBelow(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }
}
