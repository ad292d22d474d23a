import Blocks
import Testing

@Suite("BlocksError")
struct BlocksErrorTests {
    @Test("errors are equal when their codes are")
    func equality() {
        #expect(BlocksError(.tooLarge, "a") == BlocksError(.tooLarge, "b"))
        #expect(BlocksError(.tooLarge, "a") != BlocksError(.corruptPage, "a"))
        #expect(Set([BlocksError(.tooLarge, "a"), BlocksError(.tooLarge, "b")]).count == 1)
    }

    @Test("a description has the code and the message")
    func description() {
        #expect("\(BlocksError(.unknownKey, "no key 7"))" == "unknownKey: no key 7")
    }
}
