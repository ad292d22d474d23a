import Blocks
import Model
import Testing

@Suite("TokenKey")
struct TokenKeyTests {
    private func ring() throws -> KeyRing { try KeyRing(parsing: Golden.text("keyring.txt")) }

    private func signature(_ key: TokenKey?, _ message: [UInt8]) -> String? {
        message.withUnsafeBytes { bytes in key?.signature(of: bytes).hex }
    }

    /// Made by another implementation: HMAC-SHA256 under a key that is itself the HMAC-SHA256, under the master key, of
    /// the purpose and the version.
    @Test(
        "the keys are derived as docs/protocol.md says",
        arguments: [
            (1, "3fd9c0473cf2dd94bfa407b3f0e24c0c00a797ac81d5cdf5f4a649df5172f399"),
            (3, "2711cd7c3c13abd659aec7fb1f250aa0fc13da3710a5488314395a3241627c56"),
        ] as [(UInt32, String)])
    func derivation(version: UInt32, hex: String) throws {
        let bytes = try #require([UInt8](hex: hex))
        let expected = bytes.withUnsafeBytes { TokenKey(bytes: $0) }
        let derived = try ring().pollKeys()[version]
        #expect(signature(derived, [1, 2, 3]) == signature(expected, [1, 2, 3]))
        #expect(signature(derived, [1, 2, 3]) == HMACSHA256(key: bytes).code(of: [1, 2, 3]).hex)
    }

    @Test(
        "the keys of tickets are others than those of poll tokens, and derived in the same way",
        arguments: [
            (1, "296014da525a2431106519e174cd826ba98509984bada7b8af4e892b727e1961"),
            (3, "706862486df4aa34faaa895de54b52b6533d32b87962143478dbb686c844458c"),
        ] as [(UInt32, String)])
    func tickets(version: UInt32, hex: String) throws {
        let bytes = try #require([UInt8](hex: hex))
        #expect(signature(try ring().ticketKeys()[version], [7]) == HMACSHA256(key: bytes).code(of: [7]).hex)
        #expect(try ring().ticketKeys().keys.sorted() == ring().versions)
    }

    @Test("every master key of the ring gives one, and no two are the same")
    func versions() throws {
        let ring = try ring().rotated()
        let keys = ring.pollKeys()
        #expect(keys.keys.sorted() == ring.versions)
        #expect(Set(keys.values.map { signature($0, []) }).count == keys.count)
    }

    @Test("a signature holds under its key, for its bytes, and not otherwise")
    func signing() throws {
        let keys = try ring().pollKeys()
        let (first, third) = (try #require(keys[1]), try #require(keys[3]))
        let (message, other): ([UInt8], [UInt8]) = ([7, 8, 9], [7, 8, 8])
        let signature = message.withUnsafeBytes { first.signature(of: $0) }
        message.withUnsafeBytes { bytes in
            #expect(first.isSignature(signature, of: bytes))
            #expect(!third.isSignature(signature, of: bytes))
        }
        other.withUnsafeBytes { bytes in #expect(!first.isSignature(signature, of: bytes)) }
    }

    @Test("a description does not show the key")
    func discreet() throws {
        let key = try #require(try ring().pollKeys()[1])
        #expect("\(key)" == "TokenKey(hidden)")
    }
}
