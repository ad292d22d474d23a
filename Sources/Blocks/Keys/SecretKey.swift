import COpenSSL

/// 32 bytes of a key, wiped when the last reference goes.
///
/// Sendable although it holds a pointer: the memory is written in `init` and then only by `deinit`.
final class SecretKey: @unchecked Sendable {
    /// The length of every key here, in bytes.
    static let length = 32

    private let memory: UnsafeMutableRawBufferPointer

    /// Makes a key of what `fill` writes to 32 bytes.
    init(_ fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        memory = .allocate(byteCount: Self.length, alignment: 16)
        try fill(memory)
    }

    /// Draws a key.
    convenience init(using generator: inout some RandomNumberGenerator) {
        self.init { memory in
            for offset in stride(from: 0, to: Self.length, by: 8) {
                memory.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
            }
        }
    }

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        memory.deallocate()
    }

    /// Lends the bytes.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(memory))
    }
}
