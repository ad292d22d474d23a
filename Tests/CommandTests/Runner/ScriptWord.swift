/// A word of a line, in parts: text as it stands, and names of variables.
///
/// Within single quotes everything stands for itself; within double quotes and outside, `$NAME` is put in.
struct ScriptWord: Equatable {
    enum Part: Equatable {
        case text(String)
        case variable(String)
    }

    private(set) var parts: [Part]

    init(plain: String) {
        parts = [.text(plain)]
    }

    private init() {
        parts = []
    }

    /// What is wrong with a line.
    enum Problem: Error, CustomStringConvertible {
        case openQuote(Character)

        var description: String {
            switch self {
            case .openQuote(let quote): "the quote \(quote) is not closed"
            }
        }
    }

    /// Splits a line into words. A `#` at the start of a word begins a comment.
    static func split(_ line: String) throws -> [ScriptWord] {
        var words: [ScriptWord] = []
        var rest = Substring(line)
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard let first = rest.first, first != "#" else { return words }
            var word = ScriptWord()
            while let next = rest.first, next != " ", next != "\t" { try word.read(next, &rest) }
            words.append(word)
        }
    }

    /// The word with its variables put in; throws the name of one that is not set.
    func expanded(_ variables: [String: String]) throws(UnknownVariable) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .variable(let name):
                guard let value = variables[name] else { throw UnknownVariable(name: name) }
                result += value
            }
        }
        return result
    }

    private mutating func read(_ next: Character, _ rest: inout Substring) throws {
        switch next {
        case "'", "\"": try readQuoted(next, &rest)
        case "$": readVariable(&rest)
        default:
            append(next)
            rest.removeFirst()
        }
    }

    private mutating func readQuoted(_ quote: Character, _ rest: inout Substring) throws {
        rest.removeFirst()
        if parts.isEmpty { parts.append(.text("")) }
        while let next = rest.first, next != quote {
            if next == "$" && quote == "\"" {
                readVariable(&rest)
            } else {
                append(next)
                rest.removeFirst()
            }
        }
        guard rest.first == quote else { throw Problem.openQuote(quote) }
        rest.removeFirst()
    }

    /// A `$` that no name follows stands for itself, as at the end of a regular expression.
    private mutating func readVariable(_ rest: inout Substring) {
        rest.removeFirst()
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        guard !name.isEmpty else { return append("$") }
        parts.append(.variable(String(name)))
        rest = rest.dropFirst(name.count)
    }

    private mutating func append(_ character: Character) {
        if case .text(let text)? = parts.last {
            parts[parts.count - 1] = .text(text + String(character))
        } else {
            parts.append(.text(String(character)))
        }
    }
}

/// A variable that nothing has set.
struct UnknownVariable: Error, CustomStringConvertible {
    let name: String

    var description: String { "$\(name) is not set" }
}
