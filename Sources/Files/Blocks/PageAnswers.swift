import Metadata
import Model

/// The answers to questions for recipe pages, from the cache where it has them.
///
/// Pages are named by their hashes, so an answer stays right: that a page was removed since changes whether it would be
/// found, not what it is. Whether the asker may ask is known by the account, which is part of the key.
struct PageAnswers {
    let cache: any MetadataCache

    /// The answer to questions, bounded in bytes, read by `read` when the cache does not have it.
    func answer(
        _ questions: [FetchPages.Question], of account: AccountID, atMost bound: Int,
        read: () async throws -> [[UInt8]]
    ) async throws -> [[UInt8]] {
        guard cache.isUseful, !questions.isEmpty, questions.count <= Self.mostQuestions else { return try await read() }
        let key = Self.key(questions, account, bound)
        if let bytes = await cache.get([key])[key], let pages = Self.pages(bytes) { return pages }
        let pages = try await read()
        await cache.put([key: Self.bytes(of: pages)])
        return pages
    }

    /// More at once are hardly asked by two.
    private static let mostQuestions = 16

    private static func key(
        _ questions: [FetchPages.Question], _ account: AccountID, _ bound: Int
    ) -> MetadataCacheKey {
        func bytes(_ content: ContentID?) -> [UInt8] { content.map { [$0.level] + $0.digest.bytes } ?? [] }
        return MetadataCacheKey(
            "pages1",
            [account.bytes, Array("\(bound)".utf8)] + questions.flatMap { [bytes($0.want), bytes($0.have)] })
    }

    /// Each page with its length in four bytes before it.
    static func bytes(of pages: [[UInt8]]) -> [UInt8] {
        pages.flatMap { page in withUnsafeBytes(of: UInt32(page.count).bigEndian) { Array($0) } + page }
    }

    static func pages(_ bytes: [UInt8]) -> [[UInt8]]? {
        var pages: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4 + length else { return nil }
            pages.append(Array(rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(4 + length)
        }
        return pages
    }
}
