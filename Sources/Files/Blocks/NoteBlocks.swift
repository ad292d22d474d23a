import Metadata
import Model

/// Makes blocks durable and notes where they lie, so that afterwards the account has all of them.
///
/// Between the look at which are lacking and the note of those the collector may have removed one that was there, or,
/// after a very long time, the pack that was appended to. Then it is done again for what is lacking now.
struct NoteBlocks: Sendable {
    let context: FilesContext
    let account: AccountID
    /// The blocks that the account is to have.
    let ids: [BlockID]

    /// How often it is tried.
    private static let attempts = 8

    /// Appends what is lacking and notes it; in the transaction in which all of the blocks are there, `note` runs.
    /// - Returns: how many blocks were appended and noted, and the answer of `note`.
    /// - Throws: ``FilesError`` `unavailable` when it was in vain again and again, and what the closures throw.
    func run<Answer: Sendable>(
        lacking: Set<BlockID>, append: (Set<BlockID>) async throws -> [StoredBlock],
        note: @escaping @Sendable (any MetadataConnection) throws -> Answer
    ) async throws -> (added: Int, answer: Answer) {
        let (account, ids) = (account, ids)
        var lacking = lacking
        var added = 0
        for _ in 0..<Self.attempts {
            let (stored, known) = (try await append(lacking), ids.filter { [lacking] in !lacking.contains($0) })
            do {
                let (answer, vanished) = try await context.database.write { connection -> (Answer?, [BlockID]) in
                    try BlockQueries(connection).record(stored, account: account)
                    let vanished = try BlockQueries(connection).missing(known, account: account)
                    guard vanished.isEmpty else { return (nil, vanished) }
                    try CollectionQueries(connection).rescue(blocks: known, pages: [], account: account)
                    return (try note(connection), [])
                }
                added += stored.count
                if let answer { return (added, answer) }
                lacking = Set(vanished)
            } catch is PackRemoved {
                continue
            }
        }
        throw Self.exhausted
    }

    /// Repeats what appends and notes as long as the pack that was appended to is gone when the places are noted.
    /// - Throws: ``FilesError`` `unavailable` when that happens again and again, and what `body` throws.
    static func repeating<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        for _ in 0..<attempts {
            do {
                return try await body()
            } catch is PackRemoved {
                continue
            }
        }
        throw exhausted
    }

    private static let exhausted = FilesError(
        .unavailable, "what was stored was removed before it was noted, again and again", retryAfter: 1)
}
