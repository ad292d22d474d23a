import Metadata
import Model

/// The pages of folders, from the cache where it has them.
///
/// A page is a function of the commit that made the listed revision, and of what was asked: the hash of a commit stands for
/// all that happened up to it. Which commit that is, and whether the asker may see it, is asked of the database every time.
struct FolderPages {
    /// What a page depends on.
    struct Question {
        let path: RemotePath
        let after: NodeName?
        let limit: Int
    }

    let cache: any MetadataCache

    /// The page of a question at a head in the past or present, read by `read` when the cache does not have it.
    func page(
        _ question: Question, at head: Head, read: () async throws -> ListFolder.Page
    ) async throws -> ListFolder.Page {
        let key = Self.key(question, head)
        if let bytes = await cache.get([key])[key], let page = Self.page(bytes, at: head.revision) { return page }
        let page = try await read()
        await cache.put([key: Self.bytes(of: page)])
        return page
    }

    private static func key(_ question: Question, _ head: Head) -> MetadataCacheKey {
        // The path is last: it has any number of parts.
        MetadataCacheKey(
            "folder1",
            [
                head.namespace.bytes, Array("\(head.revision)".utf8), head.hash.digest.bytes,
                question.after?.bytes ?? [], Array("\(question.limit)".utf8),
            ] + question.path.names.map(\.bytes))
    }

    /// A byte that says whether there is a next page, then the entries.
    static func bytes(of page: ListFolder.Page) -> [UInt8] {
        [page.next == nil ? 0 : 1] + NodeListForm.bytes(of: page.entries)
    }

    static func page(_ bytes: [UInt8], at revision: Revision) -> ListFolder.Page? {
        // What can't be read is not there: the database has it.
        guard let first = bytes.first, first < 2, let entries = try? NodeListForm.records(in: Array(bytes.dropFirst()))
        else { return nil }
        return ListFolder.Page(
            revision: revision, entries: entries, next: first == 1 ? entries.last?.state.name : nil)
    }
}
