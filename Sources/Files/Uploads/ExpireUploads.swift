import CoreMetrics
import Metadata
import Model

/// Gives up pending uploads that nobody finished, and forgets those that ended long ago.
public struct ExpireUploads: Sendable {
    private let context: FilesContext

    /// For how long the end of an upload is remembered: no device repeats a request for longer.
    static let memory = Duration.seconds(30 * 86_400)

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Ends what is due now. The other devices are told, so that they no longer show the files as on their way.
    /// - Returns: how many uploads were given up.
    @discardableResult
    public func callAsFunction() async throws -> Int {
        let now = context.clock.now()
        var total = 0
        while true {
            let expired = try await context.database.write { connection in
                let expired = try UploadQueries(connection).expire(before: now, limit: Self.atOnce)
                return try expired.compactMap { upload -> (Head, DeviceID)? in
                    guard let head = try NamespaceQueries(connection).head(of: upload.namespace),
                        let record = try UploadQueries(connection).byID(upload.id)
                    else { return nil }
                    return (head, record.device)
                }
            }
            for (head, device) in expired { await context.tellPending(head, by: device) }
            total += expired.count
            context.metrics.expired.increment(by: expired.count)
            if expired.count < Self.atOnce { break }
        }
        try await context.database.write { connection in
            _ = try UploadQueries(connection).forget(before: now.advanced(by: .zero - Self.memory))
        }
        return total
    }

    private static let atOnce = 1000
}
