import Model
import Synchronization
import WireProtocol

/// The tickets of the uploads that are under way. A ticket that is lost costs nothing: the device's own token is as good.
final class TicketBox: Sendable {
    /// The header field that brings a ticket, as answers are read.
    static let field = UploadTicket.header.lowercased()
    /// The most tickets that are kept.
    static let capacity = 1000

    private let tickets = Mutex<[UploadID: String]>([:])

    /// Keeps the ticket of an upload in place of the one before; nil when it has none, or is over.
    func keep(_ ticket: String?, for upload: UploadID) {
        tickets.withLock { tickets in
            if ticket != nil, tickets.count >= Self.capacity { tickets.removeAll(keepingCapacity: true) }
            tickets[upload] = ticket
        }
    }

    /// The ticket of an upload.
    func ticket(for upload: UploadID) -> String? { tickets.withLock { $0[upload] } }
}
