/// What types are called, and that what is public is explained.
enum Declarations {
    /// Words that say nothing of what a type is.
    static let empty: Set<String> = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Impl"]

    static func emptyNames(in files: [SourceFile]) -> [Finding] {
        files.flatMap { file -> [Finding] in
            let declared = typeNames(in: file).compactMap { token in
                emptyWord(in: token.text).map {
                    Finding(file.path, line: token.line, "\(token.text): \"\($0)\" says nothing; name what it is")
                }
            }
            let named = emptyWord(in: String(file.name.dropLast(".swift".count))).map {
                Finding(file.path, "\"\($0)\" in a file's name says nothing; name what it holds")
            }
            return declared + (named.map { [$0] } ?? [])
        }
    }

    /// Public declarations, and requirements of public protocols, without a documentation comment.
    static func undocumented(in files: [SourceFile]) -> [Finding] {
        files.flatMap { file in
            let requirements = publicRequirements(in: file)
            return file.tokens.indices.compactMap { index -> Finding? in
                guard isPublicDeclaration(file.tokens, index) || requirements.contains(index),
                    !hasDocumentation(file.tokens, before: index)
                else { return nil }
                let words = file.tokens[index...].prefix(4).map(\.text).joined(separator: " ")
                return Finding(file.path, line: file.tokens[index].line, "no documentation: \(words)")
            }
        }
    }

    // MARK: Names

    private static let typeKeywords: Set<String> = ["class", "struct", "enum", "actor", "protocol", "typealias"]

    private static func typeNames(in file: SourceFile) -> [Token] {
        file.code.indices.dropLast().compactMap { index in
            guard typeKeywords.contains(file.code[index].text), file.code[index + 1].kind == .identifier,
                index == 0 || file.code[index - 1].text != "import"
            else { return nil }
            let name = file.code[index + 1]
            return name.text.first?.isUppercase == true ? name : nil
        }
    }

    private static func emptyWord(in name: String) -> String? {
        var words: [String] = []
        for character in name {
            if character.isUppercase || words.isEmpty { words.append("") }
            words[words.count - 1].append(character)
        }
        return words.first { empty.contains($0) }
    }

    // MARK: Documentation

    private static let modifiers: Set<String> = [
        "public", "open", "final", "static", "class", "nonisolated", "override", "mutating", "nonmutating", "consuming",
        "borrowing", "lazy", "weak", "convenience", "required", "indirect", "isolated", "unsafe", "distributed",
    ]

    private static let declarators: Set<String> = [
        "class", "struct", "enum", "actor", "protocol", "typealias", "func", "var", "let", "init", "subscript", "case",
        "macro", "associatedtype",
    ]

    /// `public` or `open` before something that needs words: not an import, an extension, a setter's access or an
    /// override, which inherits them.
    private static func isPublicDeclaration(_ tokens: [Token], _ index: Int) -> Bool {
        guard tokens[index].kind == .identifier, ["public", "open"].contains(tokens[index].text) else { return false }
        // A method that is called so.
        if index > 0, tokens[index - 1].text == "." { return false }
        var next = index + 1
        while next < tokens.count {
            let word = tokens[next].text
            if word == "override" { return false }
            // `class` is a modifier in `class func` and a declarator in `class Name`.
            if declarators.contains(word) && tokens[next].kind == .identifier { return true }
            guard modifiers.contains(word) || word == "(" || word == ")" || word == "set" || word == "private" else {
                return false
            }
            next += 1
        }
        return false
    }

    /// The first tokens of the members of public protocols.
    private static func publicRequirements(in file: SourceFile) -> Set<Int> {
        var found: Set<Int> = []
        let tokens = file.tokens
        for index in tokens.indices where tokens[index].text == "protocol" && tokens[index].kind == .identifier {
            guard index > 0, tokens[index - 1].text == "public",
                let open = tokens[index...].firstIndex(where: { $0.text == "{" })
            else { continue }
            var depth = 0
            for member in tokens.indices.dropFirst(open) {
                if ["{", "("].contains(tokens[member].text) { depth += 1 }
                if ["}", ")"].contains(tokens[member].text) { depth -= 1 }
                if depth == 0 { break }
                let isRequirement = ["func", "var", "init", "subscript", "associatedtype"]
                    .contains(tokens[member].text)
                if depth == 1 && isRequirement && tokens[member].kind == .identifier { found.insert(member) }
            }
        }
        return found
    }

    /// Whether a documentation comment stands before the attributes and modifiers of the declaration at `index`.
    private static func hasDocumentation(_ tokens: [Token], before index: Int) -> Bool {
        var position = index - 1
        while position >= 0 {
            let token = tokens[position]
            if token.kind == .documentation { return true }
            if token.kind == .comment || modifiers.contains(token.text) {
                position -= 1
            } else if token.text == ")", let open = openingParenthesis(tokens, of: position) {
                // The arguments of an attribute: `@available(…)`.
                guard open >= 2, tokens[open - 2].text == "@" else { return false }
                position = open - 3
            } else if position >= 1, tokens[position - 1].text == "@" {
                position -= 2
            } else {
                return false
            }
        }
        return false
    }

    private static func openingParenthesis(_ tokens: [Token], of close: Int) -> Int? {
        var depth = 0
        for position in stride(from: close, through: 0, by: -1) {
            if tokens[position].text == ")" { depth += 1 }
            if tokens[position].text == "(" { depth -= 1 }
            if depth == 0 { return position }
        }
        return nil
    }
}
