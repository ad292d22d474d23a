/// How many entries one page of an answer may have.
enum PageLimit {
    /// - Throws: ``FilesError`` `invalidRequest` for what is not 1 to 10,000.
    static func check(_ limit: Int) throws(FilesError) {
        guard (1...10_000).contains(limit) else {
            throw FilesError(.invalidRequest, "a page has 1 to 10000 entries, not \(limit)")
        }
    }
}
