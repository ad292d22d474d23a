import Foundation
import Model
import Notifications
import WireProtocol

/// The text of server-sent events (HTML Living Standard, section 9.2).
enum ServerSentEvent {
    /// How long a browser waits before it connects again, in milliseconds.
    static let head = "retry: 3000\n\n"
    /// A line that says nothing, so that whatever lies between sees that the connection is used.
    static let heartbeat = ": still here\n\n"

    /// A namespace has news.
    static func moved(_ news: MovedNamespace) throws -> String {
        let data = NewsEvent(
            namespace: news.namespace.hex, revision: news.revision.number, state: news.pending ? .pending : .uploaded)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return "event: moved\ndata: \(String(decoding: try encoder.encode(data), as: UTF8.self))\n\n"
    }
}
