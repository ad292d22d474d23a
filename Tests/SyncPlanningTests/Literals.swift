public import Model

extension NodeName: ExpressibleByUnicodeScalarLiteral {}
extension NodeName: ExpressibleByExtendedGraphemeClusterLiteral {}
extension NodeName: ExpressibleByStringLiteral {
    /// Takes a literal as a name; a test with a wrong one stops.
    public init(stringLiteral text: String) {
        do { try self.init(text) } catch { preconditionFailure("\(error)") }
    }
}

extension Identifier: ExpressibleByIntegerLiteral {
    /// Takes a small number as an id.
    public init(integerLiteral number: UInt64) { self.init(high: 0, low: number) }
}

extension Content {
    /// The bytes number so and so: equal numbers are equal bytes.
    static func bytes(_ number: UInt64) -> Content {
        Content(id: ContentID(level: 0, digest: Digest(words: (number, 0, 0, 0))), size: number)
    }
}
