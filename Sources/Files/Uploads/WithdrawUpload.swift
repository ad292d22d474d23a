import CoreMetrics
import Metadata
public import Model
public import WireProtocol

/// Takes an upload back for the device that sent it, or tells that it is too late.
///
/// A device that was cut off does not know what became of its request, which may still be on its way. After this it
/// knows: the upload was decided, or it never will be.
public struct WithdrawUpload: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Withdraws an upload. Doing so again changes nothing, and an id that was never seen is withdrawn beforehand.
    /// - Returns: What was decided before; nil when the upload is withdrawn.
    /// - Throws: ``FilesError``: `notFound` for another account's upload, `conflict` for another device's.
    public func callAsFunction(_ upload: UploadID, by principal: Principal) async throws -> UploadOutcome? {
        let now = context.clock.now()
        let expires = now.advanced(by: context.limits.uploadLifetime)
        let result = try await context.database.write { connection -> Result in
            if let outcome = try Self.outcome(of: upload, principal, connection) { return .decided(outcome) }
            let uploads = UploadQueries(connection)
            guard let record = try uploads.byID(upload) else {
                // Remembered, so that a request that is still on its way is refused when it comes.
                try uploads.create(
                    UploadRecord(
                        id: upload, account: principal.account, namespace: principal.home, device: principal.device,
                        state: .withdrawn, created: now, expires: expires, items: [], changes: nil))
                return .withdrawn(nil)
            }
            try Access.check(record, record.namespace, principal)
            if record.state == .superseded || record.state == .withdrawn { return .withdrawn(nil) }
            try uploads.setState(upload, .withdrawn)
            let wasPending = record.state == .pending
            return .withdrawn(wasPending ? try NamespaceQueries(connection).head(of: record.namespace) : nil)
        }
        switch result {
        case .decided(let outcome): return outcome.uploadOutcome
        case .withdrawn(let head):
            if let head {
                context.metrics.withdrawn.increment()
                await context.tellPending(head, by: principal.device)
            }
            return nil
        }
    }

    private enum Result: Sendable {
        case decided(CommitOutcome)
        /// With the head of the namespace, when the others were shown the upload until now.
        case withdrawn(Head?)
    }

    private static func outcome(
        of upload: UploadID, _ principal: Principal, _ connection: any MetadataConnection
    ) throws -> CommitOutcome? {
        for namespace in try NamespaceQueries(connection).all(visibleTo: principal.account) {
            guard let outcome = try CommitQueries(connection).outcome(of: upload, in: namespace) else { continue }
            if case .committed(let record) = outcome, record.device != principal.device {
                throw FilesError(.conflict, "upload \(upload) is another device's")
            }
            return outcome
        }
        return nil
    }
}
