import COpenSSL
import Model

/// Turns passwords into what may be stored, with scrypt (RFC 7914), which costs a guesser memory as well as time.
///
/// The stored form names its own costs (the PHC string format): `$scrypt$ln=15,r=8,p=1$salt$hash`, the last two in base
/// 64 without padding. So the costs can be raised, and what was stored before still verifies.
public struct ScryptPassword: Hashable, Sendable {
    /// The binary logarithm of the number of blocks to go through, 1 to 20.
    public let logCost: Int
    /// The size of a block, in units of 128 bytes, 1 to 32.
    public let blockSize: Int
    /// How often the whole is done, 1 to 16.
    public let parallelism: Int

    private static let hashLength = 32
    private static let saltLengths = 8...64

    /// Makes costs. Hashing takes `128 * blockSize * 2^logCost` bytes of memory.
    public init(logCost: Int, blockSize: Int = 8, parallelism: Int = 1) {
        precondition(Self.allowed(logCost, blockSize, parallelism), "scrypt costs out of bounds")
        self.logCost = logCost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// 32 MiB, and some 60 ms on a processor of 2026.
    public static let standard = ScryptPassword(logCost: 15)

    /// The stored form of a password.
    /// - Parameters:
    ///   - password: Hashed as its UTF-8 bytes, without normalisation.
    ///   - salt: 8 to 64 bytes, drawn anew for each password: 16 from ``SecureRandom/bytes(_:)``.
    /// - Returns: The text to store.
    /// - Throws: ``BlocksError`` `cryptography` when there is not enough memory.
    public func hash(_ password: String, salt: [UInt8]) throws -> String {
        precondition(Self.saltLengths.contains(salt.count), "a salt has \(Self.saltLengths) bytes")
        let hash = try derive(password, salt)
        return "$scrypt$ln=\(logCost),r=\(blockSize),p=\(parallelism)$\(Base64.encode(salt))$\(Base64.encode(hash))"
    }

    /// Whether a password is the one that was stored. The comparison takes the same time wherever they differ.
    /// - Throws: ``BlocksError`` `malformedPassword` when `stored` is no such form, or its costs are beyond the bounds.
    public static func verify(_ password: String, against stored: String) throws -> Bool {
        let fields = stored.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 5, fields[0].isEmpty, fields[1] == "scrypt",
            let costs = ScryptPassword(parsing: fields[2]),
            let salt = Base64.decode(fields[3]), saltLengths.contains(salt.count),
            let expected = Base64.decode(fields[4]), expected.count == hashLength
        else { throw BlocksError(.malformedPassword, "a stored password is not of the form $scrypt$costs$salt$hash") }
        let hash = try costs.derive(password, salt)
        return CRYPTO_memcmp(hash, expected, hashLength) == 0
    }

    /// Whether a stored form has exactly these costs; if not, hash the password anew when it is next at hand.
    public func made(_ stored: String) -> Bool {
        stored.hasPrefix("$scrypt$ln=\(logCost),r=\(blockSize),p=\(parallelism)$")
    }

    private init?(parsing text: String) {
        var values: [Int] = []
        for (field, name) in zip(text.split(separator: ",", omittingEmptySubsequences: false), ["ln=", "r=", "p="]) {
            guard field.hasPrefix(name), let value = Int(field.dropFirst(name.count)) else { return nil }
            values.append(value)
        }
        guard values.count == 3, Self.allowed(values[0], values[1], values[2]) else { return nil }
        self.init(logCost: values[0], blockSize: values[1], parallelism: values[2])
        guard text == "ln=\(logCost),r=\(blockSize),p=\(parallelism)" else { return nil }
    }

    private static func allowed(_ logCost: Int, _ blockSize: Int, _ parallelism: Int) -> Bool {
        (1...20).contains(logCost) && (1...32).contains(blockSize) && (1...16).contains(parallelism)
    }

    private func derive(_ password: String, _ salt: [UInt8]) throws(BlocksError) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: Self.hashLength)
        let bytes = Array(password.utf8)
        // libcrypto refuses more than 32 MiB unless it is told what may be used.
        let memory = UInt64(128 * blockSize * ((1 << logCost) + parallelism + 2)) + (1 << 20)
        let done: Int32 = bytes.withUnsafeBytes { password in
            guard LibCrypto.hasBegun else { return 0 }
            return EVP_PBE_scrypt(
                password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, salt, salt.count,
                1 << UInt64(logCost), UInt64(blockSize), UInt64(parallelism), memory, &hash, hash.count)
        }
        guard done == 1 else { throw BlocksError(.cryptography, "scrypt failed: \(LibCrypto.lastError)") }
        return hash
    }
}
