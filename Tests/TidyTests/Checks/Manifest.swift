/// What `Package.swift` says of the targets: read from its text, so that the check needs no build tool.
struct Manifest {
    struct Target: Hashable {
        let name: String
        /// `target`, `executableTarget`, `testTarget` or `systemLibrary`.
        let kind: String
        /// The names of targets and products that it depends on.
        let dependencies: [String]
    }

    let targets: [Target]

    init(_ file: SourceFile) {
        let code = file.code
        let products = Self.products(in: code)
        let kinds: Set<String> = ["target", "executableTarget", "testTarget", "systemLibrary"]
        targets = code.indices.compactMap { index in
            guard kinds.contains(code[index].text), index > 0, code[index - 1].text == ".",
                index + 1 < code.count, code[index + 1].text == "("
            else { return nil }
            let body = Self.parenthesized(code, from: index + 1)
            guard let name = Self.string(after: "name", in: body) else { return nil }
            return Target(
                name: name, kind: code[index].text, dependencies: Self.dependencies(in: body, products: products))
        }
    }

    subscript(name: String) -> Target? { targets.first { $0.name == name } }

    /// The short names of products: `let log = Target.Dependency.product(name: "Logging", …)`.
    private static func products(in code: [Token]) -> [String: String] {
        var products: [String: String] = [:]
        for index in code.indices where code[index].text == "product" && index >= 7 {
            // let NAME = Target . Dependency . product
            guard code[index - 7].text == "let", code[index - 5].text == "=" else { continue }
            let body = parenthesized(code, from: index + 1)
            products[code[index - 6].text] = string(after: "name", in: body)
        }
        return products
    }

    private static func dependencies(in body: [Token], products: [String: String]) -> [String] {
        guard let label = body.firstIndex(where: { $0.text == "dependencies" }) else { return [] }
        var found: [String] = []
        var depth = 0
        for (index, token) in body.enumerated().dropFirst(label + 2) {
            if ["[", "("].contains(token.text) { depth += 1 }
            if ["]", ")"].contains(token.text) { depth -= 1 }
            if depth == 0 { break }
            if depth == 1 && token.kind == .string { found.append(unquoted(token.text)) }
            if depth == 1, let product = products[token.text] { found.append(product) }
            if depth == 1 && token.text == "product" {
                found += string(after: "name", in: parenthesized(body, from: index + 1)).map { [$0] } ?? []
            }
        }
        return found
    }

    /// The tokens within the parenthesis that opens at an index.
    private static func parenthesized(_ code: [Token], from open: Int) -> [Token] {
        var depth = 0
        for index in code.indices.dropFirst(open) {
            if code[index].text == "(" { depth += 1 }
            if code[index].text == ")" { depth -= 1 }
            if depth == 0 { return Array(code[(open + 1)..<index]) }
        }
        return []
    }

    private static func string(after label: String, in body: [Token]) -> String? {
        guard let index = body.firstIndex(where: { $0.text == label }), index + 2 < body.count else { return nil }
        return unquoted(body[index + 2].text)
    }

    private static func unquoted(_ text: String) -> String { String(text.dropFirst().dropLast()) }
}
