/// Splits Swift source into tokens. It knows what a tidy check needs: comments that nest, strings of every form with
/// the code inside their interpolations, regular expressions, and names in backticks.
struct Lexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var tokens: [Token] = []

    private init(_ source: String) {
        bytes = Array(source.utf8)
    }

    static func tokens(of source: String) -> [Token] {
        var lexer = Lexer(source)
        lexer.readCode(inInterpolation: false)
        return lexer.tokens
    }

    // MARK: Code

    private mutating func readCode(inInterpolation: Bool) {
        var parentheses = 0
        while let byte = peek() {
            if inInterpolation && byte == UInt8(ascii: ")") && parentheses == 0 { return }
            if byte == UInt8(ascii: "(") { parentheses += 1 }
            if byte == UInt8(ascii: ")") { parentheses -= 1 }
            readToken(startingWith: byte)
        }
    }

    private mutating func readToken(startingWith byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): advance(1)
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"): readLineComment()
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): readBlockComment()
        case UInt8(ascii: "/") where startsRegex(): readRegex(hashes: 0)
        case UInt8(ascii: "\""): readString(hashes: 0)
        case UInt8(ascii: "#"): readHash()
        case UInt8(ascii: "`"): readQuotedName()
        case UInt8(ascii: "0")...UInt8(ascii: "9"): readWhile(.number) { Self.isNamePart($0) }
        default:
            if hasTryMark() {
                // `try!` is one word; `try !isDone` is not.
                emit(.identifier, length: 4)
            } else if Self.isNamePart(byte) {
                readWhile(.identifier) { Self.isNamePart($0) }
            } else {
                emit(.punctuation, length: 1)
            }
        }
    }

    private func hasTryMark() -> Bool {
        position + 4 <= bytes.count && bytes[position..<(position + 4)].elementsEqual("try!".utf8)
    }

    private mutating func readWhile(_ kind: Token.Kind, _ belongs: (UInt8) -> Bool) {
        var length = 0
        while let byte = peek(length), belongs(byte) { length += 1 }
        emit(kind, length: length)
    }

    private mutating func readQuotedName() {
        let start = position + 1
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "`") { end += 1 }
        tokens.append(Token(kind: .identifier, text: text(start..<end), line: line, endLine: line))
        advance(min(end + 1, bytes.count) - position)
    }

    // MARK: Comments

    private mutating func readLineComment() {
        let isDocumentation = peek(2) == UInt8(ascii: "/") && peek(3) != UInt8(ascii: "/")
        var length = 0
        while let byte = peek(length), byte != UInt8(ascii: "\n") { length += 1 }
        emit(isDocumentation ? .documentation : .comment, length: length)
    }

    private mutating func readBlockComment() {
        let isDocumentation = peek(2) == UInt8(ascii: "*") && peek(3) != UInt8(ascii: "/")
        var depth = 0
        var length = 0
        repeat {
            if peek(length) == UInt8(ascii: "/") && peek(length + 1) == UInt8(ascii: "*") {
                depth += 1
                length += 2
            } else if peek(length) == UInt8(ascii: "*") && peek(length + 1) == UInt8(ascii: "/") {
                depth -= 1
                length += 2
            } else {
                length += 1
            }
        } while depth > 0 && position + length < bytes.count
        emit(isDocumentation ? .documentation : .comment, length: min(length, bytes.count - position))
    }

    // MARK: Strings and regular expressions

    private mutating func readHash() {
        var hashes = 0
        while peek(hashes) == UInt8(ascii: "#") { hashes += 1 }
        switch peek(hashes) {
        case UInt8(ascii: "\""): readString(hashes: hashes)
        case UInt8(ascii: "/"): readRegex(hashes: hashes)
        default: emit(.punctuation, length: 1)
        }
    }

    private mutating func readString(hashes: Int) {
        let startLine = line
        let start = position
        let isLong = peek(hashes + 1) == UInt8(ascii: "\"") && peek(hashes + 2) == UInt8(ascii: "\"")
        let quotes = isLong ? 3 : 1
        advance(hashes + quotes)
        let index = tokens.count
        while let byte = peek() {
            if byte == UInt8(ascii: "\"") && closes(quotes: quotes, hashes: hashes) { break }
            if byte == UInt8(ascii: "\n") && !isLong { break }
            if byte == UInt8(ascii: "\\") && hasHashes(hashes, at: 1) {
                readEscape(hashes: hashes)
            } else {
                advance(1)
            }
        }
        if peek() == UInt8(ascii: "\"") { advance(quotes + hashes) }
        let token = Token(kind: .string, text: text(start..<position), line: startLine, endLine: line)
        tokens.insert(token, at: index)
    }

    private mutating func readEscape(hashes: Int) {
        guard peek(1 + hashes) == UInt8(ascii: "(") else { return advance(2 + hashes) }
        advance(2 + hashes)
        readCode(inInterpolation: true)
        advance(1)
    }

    private func closes(quotes: Int, hashes: Int) -> Bool {
        (0..<quotes).allSatisfy { peek($0) == UInt8(ascii: "\"") } && hasHashes(hashes, at: quotes)
    }

    private func hasHashes(_ count: Int, at offset: Int) -> Bool {
        (0..<count).allSatisfy { peek(offset + $0) == UInt8(ascii: "#") }
    }

    /// A slash starts a regular expression where no operand stands before it, no space behind it, and another slash
    /// follows on the line.
    private func startsRegex() -> Bool {
        if let last = tokens.last(where: { !$0.isComment }) {
            let words: Set<String> = ["return", "in", "case", "try", "await", "where", "if", "else"]
            if last.kind == .identifier && !words.contains(last.text) { return false }
            if last.kind == .number || last.kind == .string { return false }
            if [")", "]", "}"].contains(last.text) { return false }
        }
        guard let next = peek(1), next != UInt8(ascii: " "), next != UInt8(ascii: ")") else { return false }
        var offset = 1
        while let byte = peek(offset), byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "/") && bytes[position + offset - 1] != UInt8(ascii: "\\") { return true }
            offset += 1
        }
        return false
    }

    private mutating func readRegex(hashes: Int) {
        var length = hashes + 1
        while let byte = peek(length) {
            if byte == UInt8(ascii: "\n") && hashes == 0 { break }
            if byte == UInt8(ascii: "/") && hasHashes(hashes, at: length + 1) {
                length += 1 + hashes
                break
            }
            length += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        emit(.string, length: min(length, bytes.count - position))
    }

    // MARK: Bytes

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private mutating func advance(_ count: Int) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] == UInt8(ascii: "\n") { line += 1 }
            position += 1
        }
    }

    private mutating func emit(_ kind: Token.Kind, length: Int) {
        let start = position
        let startLine = line
        advance(length)
        tokens.append(Token(kind: kind, text: text(start..<position), line: startLine, endLine: line))
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...: true
        default: false
        }
    }
}
