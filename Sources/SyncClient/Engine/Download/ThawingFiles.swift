import Model
import Synchronization

/// The files of a portion that have to wait for the server's archive, noted from many tasks at once.
final class ThawingFiles: Sendable {
    private let errors = Mutex<[NodeID: ClientError]>([:])

    /// Notes that files wait; of two times the later one counts.
    func note(_ nodes: some Sequence<NodeID>, _ error: ClientError) {
        errors.withLock { errors in
            for node in nodes {
                guard let known = errors[node]?.retryAfter, known >= error.retryAfter ?? .zero else {
                    errors[node] = error
                    continue
                }
            }
        }
    }

    /// Why a file waits, in words for people; nil when it does not.
    func error(of node: NodeID) -> ClientError? {
        errors.withLock { errors in
            errors[node].map { error in
                let time =
                    error.retryAfter.map { ", ready in about \(DurationWords.about($0.components.seconds))" } ?? ""
                return ClientError(.thawing, "in the server's archive: thawing\(time)").retrying(
                    after: error.retryAfter)
            }
        }
    }
}
