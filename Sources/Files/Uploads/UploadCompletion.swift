import Logging
public import Model
public import WireProtocol

/// The completion callback: the wire from the block role, which knows that blocks are durable, to the API role, which
/// commits.
public protocol UploadCompletion: Sendable {
    /// Commits a pending upload whose last missing block is durable, and tells the others. Calling it early or twice does
    /// no harm: the answer is then what the upload still lacks, or what became of it.
    func complete(_ upload: UploadID) async throws -> UploadOutcome
}

extension UploadCompletion {
    /// Completes an upload that this request is not about. Its own device finds out when it asks again, so a failure is
    /// told to the log only.
    func completeInPassing(_ upload: UploadID, log: Logger) async {
        do {
            _ = try await complete(upload)
        } catch let error as FilesError where error.code == .uploadSuperseded {
            // Its device has changed its mind meanwhile.
        } catch {
            log.warning("an upload could not be completed", metadata: ["upload": "\(upload)", "error": "\(error)"])
        }
    }
}
