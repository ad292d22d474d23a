import Metadata
import Model
import Retention

/// The policies of a namespace, as they were set: the nearest folder above a file decides, then the namespace, then the
/// account, then the default.
struct RetentionRules: Sendable {
    /// What holds where no folder says otherwise.
    let general: RetentionPolicy
    /// By folder; empty in most namespaces.
    private let folders: [NodeID: RetentionPolicy]

    /// Reads the policies; `override` takes the place of all that was set.
    /// - Throws: ``FilesError`` `corruptData` for a policy that this program can't read: nothing is to go by a guess.
    init(
        _ connection: any MetadataConnection, _ namespace: NamespaceID, of account: AccountID,
        override: RetentionPolicy? = nil
    ) throws {
        if let override {
            (general, folders) = (override, [:])
            return
        }
        var (general, folders) = (RetentionPolicy.standard, [NodeID: RetentionPolicy]())
        for record in try RetentionQueries(connection).all(of: account) {
            // What holds everywhere comes first, so that the rule of the namespace's root takes its place.
            let isGeneral = record.namespace == RetentionRecord.everywhere || record.folder == .root
            guard record.namespace == namespace || record.namespace == RetentionRecord.everywhere else { continue }
            let policy = try Self.read(record)
            if isGeneral { general = policy } else { folders[record.folder] = policy }
        }
        (self.general, self.folders) = (general, folders)
    }

    /// Reads the policy of a record.
    static func read(_ record: RetentionRecord) throws -> RetentionPolicy {
        do { return try RetentionPolicy(parsing: record.policy) } catch {
            throw FilesError(.corruptData, "the retention policy of folder \(record.folder) can't be read: \(error)")
        }
    }

    /// The policy of what lies in a folder.
    func policy(in folder: NodeID, _ places: inout PlaceLookup) throws -> RetentionPolicy {
        if folders.isEmpty { return general }
        return try places.ancestors(from: folder).lazy.compactMap { folders[$0] }.first ?? general
    }
}
