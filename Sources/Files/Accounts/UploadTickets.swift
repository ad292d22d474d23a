import Blocks
import Messaging
public import Model
import Synchronization
import WireProtocol

/// Gives out upload tickets and tells good ones from others, without the database.
///
/// The ticket of a device whose revocation was told over the bus is not taken any more. A server that was not there to hear of
/// it takes the ticket until its time is over: all that it lets a device do is bring the blocks of an upload that was
/// announced while the device was trusted.
public final class UploadTickets: Sendable {
    private let keys: TokenKeys
    private let clock: any WallClock
    private let revoked = Mutex<[DeviceID: Timestamp]>([:])
    private let subscription = Mutex<BusSubscription?>(nil)

    init(source: any KeyRingSource, clock: any WallClock, bus: any ChangeBus) {
        keys = TokenKeys(source: source, clock: clock) { $0.ticketKeys() }
        self.clock = clock
        let subscribed = bus.subscribe { [weak self] event in
            if case .revoked(let device) = event.message { self?.forget(device) }
        }
        subscription.withLock { $0 = subscribed }
    }

    /// Gives a device a ticket for an upload, good for ``UploadTicket/lifetime`` seconds.
    /// - Throws: what the key ring's source throws.
    public func issue(for upload: UploadID, to principal: Principal) throws -> String {
        let signing = try keys.signing()
        let ticket = UploadTicket(
            account: principal.account, device: principal.device, home: principal.home, upload: upload,
            expires: UInt64(max(0, clock.now().seconds)) + UploadTicket.lifetime)
        return ticket.sign(with: signing.key, version: signing.version)
    }

    /// Whether text is meant to be an upload ticket, be it good or not.
    public static func isMeant(by text: String) -> Bool { text.hasPrefix(UploadTicket.prefix) }

    /// Who brings blocks, and for which upload, when a ticket is good.
    /// - Throws: ``FilesError`` `unauthorized` or `tokenRevoked`, and what the key ring's source throws.
    public func verify(_ text: String) throws -> (principal: Principal, upload: UploadID) {
        let ticket: UploadTicket
        do {
            ticket = try keys.verify(text, UploadTicket.verify)
        } catch let error as TokenError {
            throw FilesError(
                .unauthorized,
                error == .expired ? "the upload ticket has expired" : "the upload ticket is none of this server's")
        }
        guard revoked.withLock({ $0[ticket.device] == nil }) else {
            throw FilesError(.tokenRevoked, "the device was revoked; log in again")
        }
        return (Principal(account: ticket.account, device: ticket.device, home: ticket.home), ticket.upload)
    }

    /// Remembers a revocation for as long as a ticket may be good that was given before it.
    private func forget(_ device: DeviceID) {
        let now = clock.now()
        let lifetime = Duration.seconds(Int64(UploadTicket.lifetime))
        revoked.withLock { revoked in
            revoked = revoked.filter { $0.value.advanced(by: lifetime) > now }
            revoked[device] = now
        }
    }
}
