import Model

extension Client {
    /// Makes one full pass over a folder, both ways.
    /// - Parameters:
    ///   - folder: A linked folder.
    ///   - confirmDeletions: Whether the user has confirmed that very much is to be deleted, or that the folder is another
    ///     one than before.
    /// - Returns: What came of it; not being in sync is no error.
    /// - Throws: ``ClientError``; `busy` while another process works on the folder.
    public func sync(_ folder: LinkedFolderReference, confirmDeletions: Bool = false) async throws -> SyncResult {
        let engine = try engine(folder)
        return try await engine.pass(PassOptions(confirmsDeletions: confirmDeletions)).result
    }

    func engine(_ folder: LinkedFolderReference) throws -> LinkEngine {
        try LinkEngine(link: folder.id, folder: folder.folder, home: home, meter: meter) { self.context() }
    }
}
