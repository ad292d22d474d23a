/// One row of a result: its values in the order of the statement's columns.
public struct SQLRow: Hashable, Sendable {
    /// The values.
    public let values: [SQLValue]

    /// Makes a row of its values.
    public init(_ values: [SQLValue]) {
        self.values = values
    }

    /// The number in a column.
    /// - Throws: ``MetadataError`` with the code `corrupt` when the column holds anything else.
    public func integer(_ column: Int) throws -> Int64 {
        guard case .integer(let number) = values[column] else { throw unexpected(column, "a number") }
        return number
    }

    /// The text in a column.
    /// - Throws: ``MetadataError`` with the code `corrupt` when the column holds anything else.
    public func text(_ column: Int) throws -> String {
        guard case .text(let text) = values[column] else { throw unexpected(column, "text") }
        return text
    }

    /// The bytes in a column.
    /// - Throws: ``MetadataError`` with the code `corrupt` when the column holds anything else.
    public func blob(_ column: Int) throws -> [UInt8] {
        guard case .blob(let bytes) = values[column] else { throw unexpected(column, "bytes") }
        return bytes
    }

    /// Whether a column holds nothing.
    public func isNull(_ column: Int) -> Bool { values[column] == .null }

    /// The number in a column; nil when it holds nothing.
    /// - Throws: ``MetadataError`` with the code `corrupt` when the column holds anything else.
    public func optionalInteger(_ column: Int) throws -> Int64? { isNull(column) ? nil : try integer(column) }

    /// The text in a column; nil when it holds nothing.
    /// - Throws: ``MetadataError`` with the code `corrupt` when the column holds anything else.
    public func optionalText(_ column: Int) throws -> String? { isNull(column) ? nil : try text(column) }

    /// The bytes in a column; nil when it holds nothing.
    /// - Throws: ``MetadataError`` with the code `corrupt` when the column holds anything else.
    public func optionalBlob(_ column: Int) throws -> [UInt8]? { isNull(column) ? nil : try blob(column) }

    /// What to throw when a column does not hold what the schema says.
    func unexpected(_ column: Int, _ wanted: String) -> MetadataError {
        MetadataError(.corrupt, "column \(column) of a row should hold \(wanted) but holds \(values[column].summary)")
    }
}

extension SQLValue {
    /// What the value is, for error messages: never its bytes, which may be secret or long.
    fileprivate var summary: String {
        switch self {
        case .null: "nothing"
        case .integer(let number): "the number \(number)"
        case .text: "text"
        case .blob(let bytes): "\(bytes.count) bytes"
        }
    }
}
