import Blocks
import Files
import Messaging
import Model
import TestSupport
import Testing
import WireProtocol

@Suite("Upload tickets of a server")
struct UploadTicketTests {
    private let clock = ManualClock()
    private let bus = InProcessChangeBus()
    private let upload = UploadID(high: 6, low: 6)
    private let ada = Principal(
        account: AccountID(high: 1, low: 1), device: DeviceID(high: 2, low: 2), home: NamespaceID(high: 3, low: 3))

    private func tickets(_ ring: KeyRing) async throws -> UploadTickets {
        let shop = try await Workshop()
        return FilesContext(
            database: shop.database, store: shop.store, keyRing: FixedKeyRing(ring), bus: bus, clock: clock,
            randomness: shop.context.randomness, workers: shop.context.workers, log: shop.context.log
        ).uploadTickets
    }

    @Test("say whose device brings blocks and for which upload, until their time is over")
    func life() async throws {
        let tickets = try await tickets(.generate())
        let text = try tickets.issue(for: upload, to: ada)
        #expect(UploadTickets.isMeant(by: text) && !PollTokens.isMeant(by: text))
        let said = try tickets.verify(text)
        #expect(said.principal == ada && said.upload == upload)
        clock.advance(by: .seconds(Int64(UploadTicket.lifetime) - 1))
        #expect(try tickets.verify(text).upload == upload)
        clock.advance(by: .seconds(1))
        #expect(throws: FilesError(.unauthorized, "")) { try tickets.verify(text) }
    }

    @Test("of every server with the same keys are taken, of another one none")
    func servers() async throws {
        let ring = KeyRing.generate()
        let text = try await tickets(ring).issue(for: upload, to: ada)
        #expect(try await tickets(ring).verify(text).principal == ada)
        #expect(try await tickets(ring.rotated()).verify(text).principal == ada)
        let other = try await tickets(.generate())
        for bad in [text, String(text.dropLast()), UploadTicket.prefix, ""] {
            #expect(throws: FilesError(.unauthorized, "")) { try other.verify(bad) }
        }
    }

    @Test("are no poll tokens, and poll tokens are no tickets")
    func kinds() async throws {
        let shop = try await Workshop()
        let ticket = try shop.context.uploadTickets.issue(for: upload, to: ada)
        let token = try shop.context.pollTokens.issue(
            account: ada.account, device: ada.device, namespaces: [ada.home]
        ).text
        #expect(throws: FilesError(.unauthorized, "")) { try shop.context.pollTokens.verify(ticket) }
        #expect(throws: FilesError(.unauthorized, "")) { try shop.context.uploadTickets.verify(token) }
    }

    @Test("of a device that was revoked are refused for as long as they would be good, those of others are not")
    func revoked() async throws {
        let tickets = try await tickets(.generate())
        let other = Principal(account: ada.account, device: DeviceID(high: 2, low: 9), home: ada.home)
        let (its, others) = (try tickets.issue(for: upload, to: ada), try tickets.issue(for: upload, to: other))
        await bus.publish(.revoked(ada.device))
        #expect(throws: FilesError(.tokenRevoked, "")) { try tickets.verify(its) }
        #expect(try tickets.verify(others).principal == other)
        // A later revocation does not let an earlier one be forgotten too soon.
        clock.advance(by: .seconds(Int64(UploadTicket.lifetime) - 1))
        await bus.publish(.revoked(DeviceID(high: 7, low: 7)))
        #expect(throws: FilesError(.tokenRevoked, "")) { try tickets.verify(its) }
        clock.advance(by: .seconds(1))
        await bus.publish(.revoked(DeviceID(high: 7, low: 8)))
        #expect(throws: FilesError(.unauthorized, "")) { try tickets.verify(its) }
    }

    @Test("of a device of which nobody said that it was revoked here still bring blocks of their upload alone")
    func unheard() async throws {
        let ring = KeyRing.generate()
        let (here, there) = (try await tickets(ring), try await tickets(ring))
        let text = try here.issue(for: upload, to: ada)
        #expect(try there.verify(text).upload == upload)
    }
}
