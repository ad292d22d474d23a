import Blocks
import Metadata
public import Model

/// Hands out the pages of recipes, each without those that the asker has: the splice from the one recipe to the other.
public struct FetchPages: Sendable {
    private let context: FilesContext

    /// A recipe that is wanted, and one whose pages the asker has.
    public struct Question: Hashable, Sendable {
        /// The content whose pages are wanted.
        public let want: ContentID
        /// A content whose pages the asker has; nil for none.
        public let have: ContentID?

        /// Makes a question.
        public init(want: ContentID, have: ContentID?) {
            self.want = want
            self.have = have
        }
    }

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    private struct Full: Error {}

    /// The encoded pages, parents before children, each once. When they are too many, the answer is a part of them,
    /// never nothing: the asker asks again for what it still lacks.
    /// - Throws: ``FilesError`` `notFound` naming a page that the account does not have.
    public func callAsFunction(_ questions: [Question], by principal: Principal) async throws -> [[UInt8]] {
        let bound = context.limits.fetchedPageBytes
        return try await PageAnswers(cache: context.cache).answer(questions, of: principal.account, atMost: bound) {
            try await read(questions, atMost: bound, by: principal)
        }
    }

    private func read(
        _ questions: [Question], atMost bound: Int, by principal: Principal
    ) async throws -> [[UInt8]] {
        try await context.database.read { connection in
            var pages: [[UInt8]] = []
            var sent: Set<PageID> = []
            var size = 0
            func fetch(_ id: PageID) throws -> [UInt8] {
                guard let bytes = try PageQueries(connection).load(id, account: principal.account) else {
                    throw FilesError(.notFound, "there is no page \(id)")
                }
                return bytes
            }
            do {
                for question in questions {
                    let have = try question.have.flatMap { have -> ContentID? in
                        // What the asker has may be gone here: then it gets all pages.
                        guard let root = have.page else { return nil }
                        return try PageQueries(connection).load(root, account: principal.account) == nil ? nil : have
                    }
                    try RecipeDifference.visitNewPages(of: question.want, since: have, fetch: fetch) { page in
                        guard sent.insert(page.id).inserted else { return }
                        pages.append(page.encoded)
                        size += page.encoded.count
                        if size >= bound { throw Full() }
                    }
                }
            } catch is Full {}
            return pages
        }
    }
}
