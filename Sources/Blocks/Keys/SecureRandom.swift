import COpenSSL
import Synchronization

/// Randomness that is fit for keys, nonces and tokens: libcrypto's generator (NIST SP 800-90A), which the kernel seeds.
///
/// It is asked for half a kilobyte at a time. Copies share what was fetched, so that no two of them ever yield the
/// same number; a lock makes them safe on any thread.
public struct SecureRandom: RandomNumberGenerator, Sendable {
    private let pool = Pool()

    /// Makes a source.
    public init() {}

    /// The next 64 bits.
    public mutating func next() -> UInt64 { pool.next() }

    /// Bytes, for a token or a salt.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
            SecureRandom.fill(out.baseAddress, count)
            initialized = count
        }
    }

    /// Ends the process when libcrypto has no randomness: nothing that follows would be safe.
    fileprivate static func fill(_ out: UnsafeMutablePointer<UInt8>?, _ count: Int) {
        guard LibCrypto.hasBegun, RAND_bytes(out, Int32(count)) == 1 else {
            preconditionFailure("no randomness: \(LibCrypto.lastError)")
        }
    }
}

/// What was fetched and not handed out yet. Each number is wiped as it goes.
private final class Pool: Sendable {
    private static let capacity = 64

    private struct Stock {
        var numbers = [UInt64](repeating: 0, count: Pool.capacity)
        var left = 0
    }

    private let stock = Mutex(Stock())

    func next() -> UInt64 {
        stock.withLock { stock in
            if stock.left == 0 {
                stock.numbers.withUnsafeMutableBytes {
                    SecureRandom.fill($0.bindMemory(to: UInt8.self).baseAddress, $0.count)
                }
                stock.left = Self.capacity
            }
            stock.left -= 1
            defer { stock.numbers[stock.left] = 0 }
            return stock.numbers[stock.left]
        }
    }
}
