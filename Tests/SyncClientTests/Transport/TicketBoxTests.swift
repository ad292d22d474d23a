import Model
import Testing

@testable import SyncClient

@Suite("The tickets of uploads that are under way")
struct TicketBoxTests {
    private let box = TicketBox()

    private func upload(_ number: Int) -> UploadID { UploadID(high: 1, low: UInt64(number)) }

    @Test("the newest ticket of an upload is kept, until it is over")
    func newest() {
        #expect(box.ticket(for: upload(1)) == nil)
        box.keep("a", for: upload(1))
        box.keep("b", for: upload(1))
        box.keep("c", for: upload(2))
        #expect(box.ticket(for: upload(1)) == "b")
        box.keep(nil, for: upload(1))
        #expect(box.ticket(for: upload(1)) == nil)
        #expect(box.ticket(for: upload(2)) == "c")
    }

    @Test("however many uploads are never finished, the box stays small, and the newest has its ticket")
    func bounded() {
        for number in 0..<(3 * TicketBox.capacity) { box.keep("t\(number)", for: upload(number)) }
        let kept = (0..<(3 * TicketBox.capacity)).filter { box.ticket(for: upload($0)) != nil }
        #expect(kept.count <= TicketBox.capacity)
        #expect(box.ticket(for: upload(3 * TicketBox.capacity - 1)) == "t\(3 * TicketBox.capacity - 1)")
    }
}
