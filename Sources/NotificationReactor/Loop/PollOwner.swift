/// By what a desk knows a poll of a reactor: which loop has its connection, the descriptor, and which of the polls there.
struct PollOwner: Hashable {
    /// Most loops of a reactor.
    static let maximumLoops = 256
    /// Descriptors are below this.
    static let maximumDescriptors = 1 << 22
    private static let generations: UInt32 = 1 << 26

    let loop: Int
    let descriptor: Int32
    let generation: UInt32

    /// Makes an owner of its parts; of the generation the lower 26 bits count.
    init(loop: Int, descriptor: Int32, generation: UInt32) {
        self.loop = loop
        self.descriptor = descriptor
        self.generation = generation % Self.generations
    }

    /// Takes apart what ``number`` put together. What is above 56 bits is the desk's.
    init(number: UInt64) {
        loop = Int(number >> 48 & 0xFF)
        descriptor = Int32(number >> 26 & 0x3F_FFFF)
        generation = UInt32(number & 0x3FF_FFFF)
    }

    /// The owner in 56 bits.
    var number: UInt64 { UInt64(loop) << 48 | UInt64(descriptor) << 26 | UInt64(generation) }
}
