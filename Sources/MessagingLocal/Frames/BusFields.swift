import Model

/// Takes the fields of a frame one after the other.
struct BusFields {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func byte() throws(BusSocketError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw Self.short }
        return byte
    }

    mutating func number() throws(BusSocketError) -> UInt64 {
        try take(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func identifier<Kind>() throws(BusSocketError) -> Identifier<Kind> {
        guard let identifier = Identifier<Kind>(bytes: try take(16)) else { throw Self.short }
        return identifier
    }

    /// Makes sure that nothing is left.
    func end() throws(BusSocketError) {
        if !rest.isEmpty { throw BusSocketError(.malformed, "a frame is longer than its fields") }
    }

    private mutating func take(_ count: Int) throws(BusSocketError) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw Self.short }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private static var short: BusSocketError { BusSocketError(.malformed, "a frame is shorter than its fields") }
}
