/// A function, initializer, subscript or computed property with a body.
struct Function: Hashable {
    let name: String
    let line: Int
    /// Lines from the one with its keyword to the one with its closing brace.
    let length: Int
}

extension SourceFile {
    /// Every body in the file, those of nested functions too.
    var functions: [Function] {
        code.indices.compactMap { index in
            guard startsFunction(at: index), let open = openingBrace(after: index),
                let close = closingBrace(of: open)
            else { return nil }
            let keyword = code[index]
            let name = code[index + 1].kind == .identifier ? code[index + 1].text : keyword.text
            return Function(name: name, line: keyword.line, length: code[close].endLine - keyword.line + 1)
        }
    }

    private func startsFunction(at index: Int) -> Bool {
        guard code[index].kind == .identifier, index + 1 < code.count else { return false }
        switch code[index].text {
        case "func": return true
        // `.init(…)` calls one; a declaration is never behind a dot.
        case "init", "deinit", "subscript":
            return index == 0 || code[index - 1].text != "."
        case "var": return true
        default: return false
        }
    }

    /// The brace that opens the body of the declaration at `start`; nil where there is none, as in a protocol.
    private func openingBrace(after start: Int) -> Int? {
        let isVariable = code[start].text == "var"
        var depth = 0
        for index in code.indices.dropFirst(start + 1) {
            let token = code[index]
            if isVariable && token.line != code[start].line { return nil }
            switch token.text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return index
            case "}" where depth == 0: return nil
            case "=" where depth == 0 && isVariable: return nil
            default: if depth == 0 && token.kind == .identifier && Self.declares(token.text) { return nil }
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    private func closingBrace(of open: Int) -> Int? {
        var depth = 0
        for index in code.indices.dropFirst(open) {
            guard code[index].kind == .punctuation else { continue }
            if code[index].text == "{" { depth += 1 }
            if code[index].text == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    /// Words that can't stand between a function's keyword and its body.
    private static func declares(_ word: String) -> Bool {
        ["func", "init", "deinit", "subscript", "var", "let", "static", "public", "struct", "enum", "class"]
            .contains(word)
    }
}
