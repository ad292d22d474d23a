public import Model

/// Reads and writes how much accounts may keep, and reads how much they do.
public struct QuotaQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// The most sealed bytes that an account may keep; nil for no limit.
    /// - Throws: ``MetadataError`` `notFound` when there is no such account.
    public func quota(of account: AccountID) throws -> UInt64? {
        guard let row = try connection.first("SELECT quota FROM account WHERE id = $1", [.id(account)]) else {
            throw MetadataError(.notFound, "there is no account \(account)")
        }
        return row.isNull(0) ? nil : try row.number(0)
    }

    /// Sets the most sealed bytes that an account may keep; nil for no limit.
    /// - Throws: ``MetadataError`` `notFound` when there is no such account.
    public func setQuota(of account: AccountID, _ bytes: UInt64?) throws {
        let changed = try connection.execute(
            "UPDATE account SET quota = $1 WHERE id = $2", [try bytes.map(SQLValue.unsigned) ?? .null, .id(account)])
        if changed == 0 { throw MetadataError(.notFound, "there is no account \(account)") }
    }

    /// What the blocks of an account add up to, those that nothing names any more among them.
    /// - Complexity: O(blocks of the account), some millions a second.
    public func stored(by account: AccountID) throws -> StoredTotals {
        let row = try connection.first(
            """
            SELECT COUNT(*), CAST(COALESCE(SUM(plain_length), 0) AS BIGINT), CAST(COALESCE(SUM(length), 0) AS BIGINT)
            FROM block WHERE account = $1
            """, [.id(account)])
        var totals = StoredTotals()
        guard let row else { return totals }
        totals.blocks = try row.number(0)
        totals.plainBytes = try row.number(1)
        totals.sealedBytes = try row.number(2)
        return totals
    }
}
