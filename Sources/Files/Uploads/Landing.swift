import Metadata
import Model
import WireProtocol

/// The transaction by which a request takes effect: blocks and pages that came along are noted, then the changes are
/// committed or kept as PENDING.
struct Landing: Sendable {
    let request: UploadRequest
    let namespace: NamespaceID
    let principal: Principal
    let survey: ReceiveUpload.Survey
    let stored: [StoredBlock]
    let pages: [(PageID, [UInt8])]
    let now: Timestamp
    let expires: Timestamp

    /// What took effect.
    struct Landed: Sendable {
        var outcome: UploadOutcome
        /// The commit, when it was decided just now.
        var decided: CommitOutcome?
        /// The head at which the upload was announced just now.
        var announced: Head?
        /// Other uploads that wait for nothing any more.
        var settled: [UploadID] = []
        /// How many older uploads of the device gave way.
        var superseded = 0
    }

    func run(_ connection: any MetadataConnection) throws -> Landed {
        let announced = try UploadQueries(connection).byID(request.upload)
        try announced?.ensureNotWithdrawn()
        let superseded = try Supersession(request).run(connection, in: namespace, of: principal.device)
        try BlockQueries(connection).record(stored, account: principal.account)
        try PageQueries(connection).store(pages, account: principal.account)
        var settled: [UploadID] = []
        if !stored.isEmpty {
            settled = try UploadQueries(connection).settle(stored.map(\.id), account: principal.account)
        }
        var landed = try land(connection, announced)
        landed.settled = settled.filter { $0 != request.upload }
        landed.superseded = superseded
        if superseded > 0, landed.announced == nil {
            // The others no longer see as on its way what was ended.
            landed.announced = try NamespaceQueries(connection).head(of: namespace)
        }
        return landed
    }

    private func land(_ connection: any MetadataConnection, _ announced: UploadRecord?) throws -> Landed {
        guard request.complete else {
            return try keep(connection, announced, changes: nil, lacking: [], missingPages: [])
        }
        let missingPages = survey.findings.missingPages
        guard missingPages.isEmpty else {
            let lacking = try BlockQueries(connection).missing(survey.findings.missing, account: principal.account)
            // Without its change-set no arriving block completes the upload before the pages are here.
            return try keep(connection, announced, changes: nil, lacking: lacking, missingPages: missingPages)
        }
        let step = CommitStep(
            account: principal.account,
            request: CommitRequest(
                namespace: namespace, upload: request.upload, device: principal.device, changes: request.changes),
            // Blocks that rode along and were there already may have gone to the archive since.
            needed: survey.findings.needed + survey.present, announced: announced, time: now)
        switch try step.run(connection) {
        case .decided(let outcome): return Landed(outcome: outcome.uploadOutcome, decided: outcome)
        case .lacking(let blocks):
            let changes = try ChangeSet.encode(request.changes, upload: request.upload)
            return try keep(connection, announced, changes: changes, lacking: blocks, missingPages: [])
        }
    }

    /// Keeps the upload as PENDING.
    private func keep(
        _ connection: any MetadataConnection, _ announced: UploadRecord?, changes: [UInt8]?, lacking: [BlockID],
        missingPages: [PageID]
    ) throws -> Landed {
        let uploads = UploadQueries(connection)
        var landed = Landed(outcome: .pending(missingBlocks: lacking, missingPages: missingPages))
        if let announced {
            try announced.ensurePending()
            if let changes { try uploads.setChanges(request.upload, changes) }
        } else {
            try uploads.create(
                UploadRecord(
                    id: request.upload, account: principal.account, namespace: namespace, device: principal.device,
                    created: now, expires: expires, items: items, changes: changes))
            landed.announced = try NamespaceQueries(connection).head(of: namespace)
        }
        try uploads.addMissing(request.upload, lacking)
        return landed
    }

    /// What the others are shown: what the device announced, or the files among the changes.
    private var items: [Metadata.UploadItem] {
        if !request.items.isEmpty {
            return request.items.map { .init(node: $0.node, parent: $0.parent, name: $0.name, size: $0.size) }
        }
        return request.changes.compactMap { change in
            guard let state = change.state, let content = state.payload.content else { return nil }
            return .init(node: change.node, parent: state.parent, name: state.name, size: content.size)
        }
    }
}
