public import Model

/// A place where the journal of a namespace does not say what the tree or the chain of hashes says.
public struct JournalFault: Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: String, Hashable, Sendable {
        /// A revision has no commit.
        case missingCommit
        /// The hash of a commit does not follow from the one before it.
        case brokenChain
        /// The rows of a commit are not those that were hashed.
        case changedRows
        /// The head of the namespace is not its last commit.
        case wrongHead
    }

    /// The namespace.
    public let namespace: NamespaceID
    /// The revision that is wrong.
    public let revision: Revision
    /// What is wrong with it.
    public let kind: Kind

    /// The fault for people.
    public var description: String {
        switch kind {
        case .missingCommit: "namespace \(namespace) has no commit of revision \(revision)"
        case .brokenChain:
            "the hash of revision \(revision) of namespace \(namespace) does not follow from the one before"
        case .changedRows:
            "the rows of revision \(revision) of namespace \(namespace) are not those that were committed"
        case .wrongHead: "the head of namespace \(namespace) is not its commit \(revision)"
        }
    }
}

/// Checks that the journal of a namespace binds its whole history.
public struct JournalVerification {
    private let connection: any MetadataConnection
    private let namespace: NamespaceID
    private let hash: ([UInt8]) -> Digest

    /// Works on a connection, with SHA-256 as the hash.
    public init(_ connection: any MetadataConnection, _ namespace: NamespaceID, hash: @escaping ([UInt8]) -> Digest) {
        self.connection = connection
        self.namespace = namespace
        self.hash = hash
    }

    /// What is wrong with the history of the namespace, in order; a broken link is named once, where it breaks.
    ///
    /// With `rows` the rows of every commit are hashed as well. Where old versions were let go of, their rows can't be
    /// checked any more, while the chain still can. It takes O(commits), with `rows` O(rows of the history). Throws
    /// ``MetadataError`` `notFound` when there is no such namespace.
    public func faults(rows: Bool = true) throws -> [JournalFault] {
        guard let head = try NamespaceQueries(connection).head(of: namespace) else {
            throw MetadataError(.notFound, "there is no namespace \(namespace)")
        }
        var faults: [JournalFault] = []
        var last = Head(namespace: namespace, revision: .zero, hash: .origin)
        while last.revision < head.revision {
            let batch = try CommitQueries(connection).journal(in: namespace, from: last.revision.next, limit: 500)
            if batch.isEmpty { break }
            for entry in batch {
                let made = entry.record.head
                for missing in (last.revision.number + 1)..<made.revision.number {
                    faults.append(JournalFault(namespace: namespace, revision: Revision(missing), kind: .missingCommit))
                }
                if !follows(entry, last) { faults.append(fault(.brokenChain, made.revision)) }
                if rows, try rowsAreSound(entry) == false { faults.append(fault(.changedRows, made.revision)) }
                last = made
            }
        }
        if last != head { faults.append(fault(.wrongHead, last.revision)) }
        return faults
    }

    private func fault(_ kind: JournalFault.Kind, _ revision: Revision) -> JournalFault {
        JournalFault(namespace: namespace, revision: revision, kind: kind)
    }

    private func follows(_ entry: JournalEntry, _ last: Head) -> Bool {
        let record = entry.record
        return record.head.hash
            == JournalFormat.commitHash(
                after: last, revision: record.head.revision, device: record.device, upload: record.upload,
                time: record.time, digest: entry.digest, count: record.changeCount, hash: hash)
    }

    private func rowsAreSound(_ entry: JournalEntry) throws -> Bool {
        let changes = try CommitQueries(connection).changes(of: entry.record.head.revision, in: namespace)
        return changes.count == entry.record.changeCount && hash(JournalFormat.bytes(of: changes)) == entry.digest
    }
}
