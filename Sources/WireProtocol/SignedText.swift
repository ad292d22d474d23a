import Blocks
import Model

/// Text that a server signs for itself and its neighbours: a marker, and then in base 64 a version, the version of the
/// master key, what is said, and the signature of all of that. docs/protocol.md has the bytes.
enum SignedText {
    private static let version: UInt8 = 1
    /// Version, version of the key.
    private static let headLength = 1 + 4
    private static let signatureLength = 32

    /// How many characters text has that says so many bytes.
    static func length(of said: Int, after marker: StaticString) -> Int {
        marker.utf8CodeUnitCount + ((headLength + said + signatureLength) * 4 + 2) / 3
    }

    /// Signs bytes.
    static func sign(_ said: [UInt8], as marker: StaticString, with key: TokenKey, version: UInt32) -> String {
        var bytes = [Self.version] + [UInt8](bigEndian: version) + said
        bytes += bytes.withUnsafeBytes { key.signature(of: $0) }.bytes
        return marker.description + Base64URL.encode(bytes)
    }

    /// Whether text begins with a marker.
    static func isMeant(by text: UnsafeRawBufferPointer, as marker: StaticString) -> Bool {
        guard text.count >= marker.utf8CodeUnitCount else { return false }
        for index in 0..<marker.utf8CodeUnitCount where text[index] != marker.utf8Start[index] { return false }
        return true
    }

    /// Checks that one of `keys` has signed text, and has what it says read.
    /// - Throws: ``TokenError``. Of text that is not signed nothing but the version of its key is looked at.
    static func verify<Said>(
        _ text: UnsafeRawBufferPointer, as marker: StaticString, keys: [UInt32: TokenKey],
        _ read: (UnsafeRawBufferPointer) throws(TokenError) -> Said
    ) throws(TokenError) -> Said {
        guard isMeant(by: text, as: marker) else { throw .malformed }
        let digits = UnsafeRawBufferPointer(rebasing: text[marker.utf8CodeUnitCount...])
        guard let count = Base64URL.decodedCount(digits.count), count > headLength + signatureLength else {
            throw .malformed
        }
        let said = withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { bytes in
            Result { () throws(TokenError) in
                guard Base64URL.decode(digits, into: bytes) else { throw .malformed }
                return try read(try signed(UnsafeRawBufferPointer(bytes), keys: keys))
            }
        }
        return try said.get()
    }

    /// What is said, once its signature was found good.
    private static func signed(
        _ bytes: UnsafeRawBufferPointer, keys: [UInt32: TokenKey]
    ) throws(TokenError) -> UnsafeRawBufferPointer {
        guard bytes[0] == version else { throw .malformed }
        guard let key = keys[number(bytes, at: 1)] else { throw .unknownKey }
        let signed = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - signatureLength)])
        let signature = Digest(loading: bytes.baseAddress.unsafelyUnwrapped + signed.count)
        guard key.isSignature(signature, of: signed) else { throw .forged }
        return UnsafeRawBufferPointer(rebasing: signed[headLength...])
    }

    /// The identifier at a place.
    static func identifier<Kind>(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Identifier<Kind> {
        Identifier(high: number(bytes, at: offset), low: number(bytes, at: offset + 8))
    }

    /// The number at a place, most significant byte first.
    static func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) -> Number {
        Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
