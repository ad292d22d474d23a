import CLinux
import Glibc
import Messaging
import Model
import Notifications
import Testing

@testable import NotificationReactor

@Suite struct MailboxTests {
    /// Ends of polls, by way of a desk: nobody else makes tickets.
    private func ends(_ count: Int) throws -> [NotificationHub.Ended] {
        let desk = PollDesk(bus: InProcessChangeBus()) { _ in [] }
        let box = try Mailbox()
        let driver = desk.register { box.post($0[...]) }
        for number in 0..<count {
            let cursor = Cursor(namespace: NamespaceID(high: 1, low: 1), revision: .zero)
            try desk.park(
                driver: driver, device: DeviceID(high: 2, low: UInt64(number)), cursors: [cursor], timeout: 9,
                owner: UInt64(number))
        }
        desk.drainWave(count)
        var ended: [NotificationHub.Ended] = []
        box.collect(into: &ended)
        return ended
    }

    /// Whether the bell was rung since it was last listened to.
    private func rang(_ mailbox: Mailbox) -> Bool {
        var count: UInt64 = 0
        return read(mailbox.descriptor, &count, 8) == 8
    }

    @Test func `mail is collected in order, once`() throws {
        let mail = try ends(3)
        #expect(mail.count == 3)
        let mailbox = try Mailbox()
        mailbox.post(mail[..<2])
        mailbox.post(mail[2...])
        var collected: [NotificationHub.Ended] = []
        mailbox.collect(into: &collected)
        #expect(collected == mail)
        mailbox.collect(into: &collected)
        #expect(collected == [])
    }

    @Test func `a sleeper is woken by the first letter, and by no other`() throws {
        let mail = try ends(2)
        let mailbox = try Mailbox()
        mailbox.post(mail[..<1])
        #expect(!rang(mailbox))
        #expect(!mailbox.fallAsleep())
        var collected: [NotificationHub.Ended] = []
        mailbox.collect(into: &collected)
        #expect(mailbox.fallAsleep())
        mailbox.post(mail[..<1])
        #expect(rang(mailbox))
        mailbox.post(mail[1...])
        #expect(!rang(mailbox))
        #expect(!mailbox.fallAsleep())
    }

    @Test func `a poke wakes, or keeps awake once`() throws {
        let mailbox = try Mailbox()
        mailbox.poke()
        #expect(!rang(mailbox))
        #expect(!mailbox.fallAsleep())
        #expect(mailbox.fallAsleep())
        mailbox.poke()
        #expect(rang(mailbox))
    }

    @Test func `who has collected is awake`() throws {
        let mailbox = try Mailbox()
        #expect(mailbox.fallAsleep())
        var collected: [NotificationHub.Ended] = []
        mailbox.collect(into: &collected)
        mailbox.poke()
        #expect(!rang(mailbox))
    }

    @Test func `a closed mailbox keeps nothing`() throws {
        let mailbox = try Mailbox()
        let mail = try ends(1)
        mailbox.post(mail[...])
        mailbox.close()
        mailbox.post(mail[...])
        var collected: [NotificationHub.Ended] = []
        mailbox.collect(into: &collected)
        #expect(collected == [])
    }
}
