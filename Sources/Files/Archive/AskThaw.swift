import Metadata
import Model
import Storage

/// Sees to it that what is about to be read can be: asks for what lies in the archive, and tells when it will be there.
struct AskThaw: Sendable {
    private let context: FilesContext

    init(_ context: FilesContext) { self.context = context }

    /// Returns when all of the blocks can be read at once.
    /// - Parameters:
    ///   - blocks: what is about to be read.
    ///   - content: the content that all of it is of, to be asked for as a whole; nil when only the blocks are known.
    ///   - account: whose blocks they are.
    ///   - device: who asks; nil when that is not known.
    ///   - subject: what is read, as a message names it.
    /// - Throws: ``FilesError``: `thawing` with the time to wait when some lie in the archive, `corruptData` when they could
    ///   not be read there, `unavailable` when this server has no archive.
    func callAsFunction(
        _ blocks: [StoredBlock], of content: ContentID? = nil, account: AccountID, device: DeviceID? = nil,
        for subject: String
    ) async throws {
        let cold = blocks.filter { $0.tier == .archive }
        guard !cold.isEmpty else { return }
        guard let archive = context.archive else {
            throw FilesError(
                .unavailable, "\(subject): \(cold.count) blocks lie in an archive, and the server runs without it",
                retryAfter: 3600)
        }
        let (now, device) = (context.clock.now(), device ?? .server)
        let contents = content.map { [$0] } ?? Array(Set(cold.map { ContentID(level: 0, digest: $0.id.digest) }))
        let known = try await context.database.read {
            try ThawQueries($0).requests(for: contents, account: account, device: device)
        }
        if known.values.contains(where: { $0.state == .failed && ($0.expires ?? now) > now }) {
            throw FilesError(.corruptData, "\(subject): a block is damaged in the archive, and no good copy is left")
        }
        let states = try await archive.store.thaw(Set(cold.map(\.pack)))
        let ready = states.values.map { Self.moment($0, now: now) }.max() ?? now
        let new = contents.filter { known[$0]?.state != .waiting }.map {
            ThawRequest(account: account, content: $0, device: device, requested: now)
        }
        if !new.isEmpty { try await context.database.write { try ThawQueries($0).ask(new) } }
        // Who asks again before it is time changes nothing.
        if !new.isEmpty || ready <= now { archive.bell.ring() }
        throw Self.waiting(until: max(ready, known.values.compactMap(\.ready).max() ?? ready), now: now, subject)
    }

    private static func moment(_ state: ThawState, now: Timestamp) -> Timestamp {
        if case .thawing(let ready) = state { ready } else { now }
    }

    private static func waiting(until ready: Timestamp, now: Timestamp, _ subject: String) -> FilesError {
        // What was thawed is then copied, which takes a moment.
        let seconds = max(0, (ready.nanoseconds - now.nanoseconds + 999_999_999) / 1_000_000_000) + 1
        return FilesError(
            .thawing, "\(subject) lies in the archive: thawing, ready in about \(DurationWords.about(seconds))",
            retryAfter: Int(seconds))
    }
}
