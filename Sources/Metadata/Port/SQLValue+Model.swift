import Model

extension SQLValue {
    static func id<Kind>(_ id: Identifier<Kind>) -> SQLValue { .blob(id.bytes) }

    static func digest(_ digest: Digest) -> SQLValue { .blob(digest.bytes) }

    static func name<Kind>(_ name: HashName<Kind>) -> SQLValue { .blob(name.digest.bytes) }

    static func time(_ time: Timestamp) -> SQLValue { .integer(time.nanoseconds) }

    static func time(_ time: Timestamp?) -> SQLValue { time.map { .integer($0.nanoseconds) } ?? .null }

    static func revision(_ revision: Revision) throws -> SQLValue { try .unsigned(revision.number) }

    /// A number that may be too large for the database, whose numbers have a sign.
    static func unsigned(_ number: UInt64) throws -> SQLValue {
        guard let signed = Int64(exactly: number) else {
            throw MetadataError(.constraint, "the number \(number) is larger than a database can keep")
        }
        return .integer(signed)
    }
}

extension SQLRow {
    func id<Kind>(_ column: Int) throws -> Identifier<Kind> {
        guard let id = Identifier<Kind>(bytes: try blob(column)) else { throw unexpected(column, "an id") }
        return id
    }

    func digest(_ column: Int) throws -> Digest {
        let bytes = try blob(column)
        guard bytes.count == 32 else { throw unexpected(column, "a hash") }
        return bytes.withUnsafeBytes { $0.baseAddress.map { Digest(loading: $0) } } ?? Digest(words: (0, 0, 0, 0))
    }

    func name<Kind>(_ column: Int) throws -> HashName<Kind> { HashName(try digest(column)) }

    func time(_ column: Int) throws -> Timestamp { Timestamp(nanoseconds: try integer(column)) }

    func optionalTime(_ column: Int) throws -> Timestamp? {
        try optionalInteger(column).map { Timestamp(nanoseconds: $0) }
    }

    func revision(_ column: Int) throws -> Revision { Revision(try number(column)) }

    /// A number of a type with fewer values than the column could hold.
    func number<Number: FixedWidthInteger>(_ column: Int) throws -> Number {
        guard let number = Number(exactly: try integer(column)) else {
            throw unexpected(column, "a number of \(Number.bitWidth) bits")
        }
        return number
    }

    func nodeName(_ column: Int) throws -> NodeName {
        do { return try NodeName(bytes: try blob(column)) } catch is NodeNameError {
            throw unexpected(column, "a name")
        }
    }
}
