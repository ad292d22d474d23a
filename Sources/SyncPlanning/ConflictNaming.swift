public import Model

/// Makes the names of conflict losers: `name (conflicted copy DEVICE YYYY-MM-DD).ext`, then ` 2`, ` 3` … before the
/// extension.
///
/// The mark names the device whose bytes lost and the day, so that two devices rarely make the same name, and never for
/// different bytes without one of them being refused by the server.
public struct ConflictNaming: Sendable {
    /// Longer device names are shortened, so that something of the file's own name is always left.
    private static let longestDeviceName = 64
    /// What is longer is no extension but part of a sentence with a full stop in it.
    private static let longestExtension = 16
    /// Extensions of compressed files: of `archive.tar.gz` the extension is `.tar.gz`.
    private static let compressions = ["gz", "bz2", "xz", "zst", "lz", "lz4", "lzma", "Z", "br"].map { Array($0.utf8) }

    /// ` (conflicted copy DEVICE YYYY-MM-DD`, without the closing parenthesis.
    private let mark: [UInt8]

    /// Makes the names for one device and one day.
    /// - Parameters:
    ///   - device: The name of the device whose bytes lose.
    ///   - date: The day, `YYYY-MM-DD`.
    public init(device: String, date: String) {
        let words = " (conflicted copy \(device) \(date))"
        // A device may be called anything: what can't be in a name, or would break a line, becomes a hyphen.
        func clean(_ text: String) -> [UInt8] { text.utf8.map { $0 < 0x20 || $0 == 0x2F || $0 == 0x7F ? 0x2D : $0 } }
        let allowed = Self.longestDeviceName
        if device.utf8.count <= allowed {
            mark = clean(words)
        } else {
            let short = clean(device).shortened(to: allowed)
            mark = clean(" (conflicted copy ") + short + clean(" \(date))")
        }
    }

    /// The first free name for the loser of a conflict over `name`.
    /// - Parameters:
    ///   - name: The name that was fought over.
    ///   - isFolder: Whether the loser is a folder: those have no extension.
    ///   - isTaken: Whether something has a name already, in any tree.
    /// - Returns: The name.
    /// - Throws: What `isTaken` throws.
    public func name(for name: NodeName, isFolder: Bool, isTaken: (NodeName) throws -> Bool) rethrows -> NodeName {
        let suffix = isFolder ? [] : Self.fileExtension(of: name.bytes)
        let stem = withoutMark(Array(name.bytes.dropLast(suffix.count)))
        var number = 1
        while true {
            let candidate = compose(stem: stem, number: number, suffix: suffix)
            if try !isTaken(candidate) { return candidate }
            number += 1
        }
    }

    private func compose(stem: [UInt8], number: Int, suffix: [UInt8]) -> NodeName {
        let tail = mark + (number == 1 ? [] : Array(" \(number)".utf8)) + suffix
        let bytes = stem.shortened(to: NodeName.maximumLength - tail.count) + tail
        guard let name = try? NodeName(bytes: bytes) else {
            preconditionFailure("a conflicted name of \(bytes.count) bytes is no name")
        }
        return name
    }

    /// A loser may lose again: its mark of this device and day, with its number, is not repeated.
    private func withoutMark(_ stem: [UInt8]) -> [UInt8] {
        var end = stem.count
        while end > 0, (0x30...0x39).contains(stem[end - 1]) { end -= 1 }
        if end < stem.count, end > 0, stem[end - 1] == 0x20 { end -= 1 } else { end = stem.count }
        let start = end - mark.count
        guard start > 0, stem[start..<end].elementsEqual(mark) else { return stem }
        return Array(stem[..<start])
    }

    /// The extension with its dot; empty when there is none. A dot in front makes a hidden file, no extension.
    static func fileExtension(of name: [UInt8]) -> [UInt8] {
        guard let dot = name.lastIndex(of: 0x2E), name[..<dot].contains(where: { $0 != 0x2E }) else { return [] }
        let last = name[(dot + 1)...]
        guard !last.isEmpty, last.count <= longestExtension, !last.contains(0x20) else { return [] }
        let tar = Array(".tar".utf8)
        if compressions.contains(Array(last)), dot > tar.count, name[..<dot].suffix(tar.count).elementsEqual(tar) {
            return Array(name[(dot - tar.count)...])
        }
        return Array(name[dot...])
    }
}

extension [UInt8] {
    /// At most `limit` bytes from the front, never with half a UTF-8 character at the end. Other bytes are kept.
    func shortened(to limit: Int) -> [UInt8] {
        guard count > limit else { return self }
        var end = limit
        // A character has at most three continuation bytes; more of them are no UTF-8 and are cut where they are.
        while end > 0, limit - end < 3, self[end] & 0xC0 == 0x80 { end -= 1 }
        if self[end] & 0xC0 == 0x80 { end = limit }
        return Array(self[..<end])
    }
}
