/// Which of the fields that matter a request has.
struct FieldsSeen: OptionSet {
    let rawValue: UInt8

    static let host = FieldsSeen(rawValue: 1)
    static let contentLength = FieldsSeen(rawValue: 2)
    static let transferEncoding = FieldsSeen(rawValue: 4)
    static let authorization = FieldsSeen(rawValue: 8)
    static let expect = FieldsSeen(rawValue: 16)
    static let contentEncoding = FieldsSeen(rawValue: 32)
}

/// The fields of a request, each by itself, and what they mean together.
extension RequestParser {
    /// Takes one line of the head. `start` is where it begins in the bytes of the request.
    mutating func takeField(_ line: UnsafeRawBufferPointer, at start: Int) -> RequestFault? {
        // A line that begins with a blank goes on with the one before, which nobody may send any more.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return .malformed }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        guard name.allSatisfy(CharacterClass.isToken) else { return .malformed }
        var from = colon + 1
        var to = line.count
        var isRight = true
        for index in from..<to where !CharacterClass.isValue(line[index]) { isRight = false }
        guard isRight else { return .malformed }
        while from < to, CharacterClass.isBlank(line[from]) { from += 1 }
        while to > from, CharacterClass.isBlank(line[to - 1]) { to -= 1 }
        let value = UnsafeRawBufferPointer(rebasing: line[from..<to])
        return takeField(named: name, value, at: start + from)
    }

    private mutating func takeField(
        named name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, at start: Int
    ) -> RequestFault? {
        switch name.count {
        case 4 where isSame(name, "host"): return see(.host)
        case 6 where isSame(name, "expect"): return see(.expect)
        case 10 where isSame(name, "connection"): return takeConnection(value)
        case 13 where isSame(name, "authorization"): return see(.authorization) ?? takeCredentials(value, at: start)
        case 14 where isSame(name, "content-length"): return see(.contentLength) ?? takeLength(value)
        case 16 where isSame(name, "content-encoding"):
            return isSame(value, "identity") ? nil : see(.contentEncoding)
        case 17 where isSame(name, "transfer-encoding"): seen.insert(.transferEncoding)
        default: break
        }
        return nil
    }

    /// Notes a field that may be there once.
    private mutating func see(_ field: FieldsSeen) -> RequestFault? {
        seen.insert(field).inserted ? nil : .malformed
    }

    private mutating func takeLength(_ value: UnsafeRawBufferPointer) -> RequestFault? {
        guard !value.isEmpty, value.allSatisfy(CharacterClass.isDigit) else { return .malformed }
        var length = 0
        for digit in value {
            length = min(length * 10 + Int(digit - 0x30), Self.maximumBody + 1)
        }
        guard length <= Self.maximumBody else { return .bodyTooLarge }
        contentLength = UInt16(length)
        return nil
    }

    /// Keeps where the token of `Bearer TOKEN` is; credentials of other schemes count as none.
    private mutating func takeCredentials(_ value: UnsafeRawBufferPointer, at start: Int) -> RequestFault? {
        guard value.count > 7, isSame(UnsafeRawBufferPointer(rebasing: value[..<7]), "bearer ") else { return nil }
        let token = value[7...].drop { $0 == 0x20 }
        tokenStart = UInt16(start + token.startIndex)
        tokenEnd = UInt16(start + value.count)
        return nil
    }

    private mutating func takeConnection(_ value: UnsafeRawBufferPointer) -> RequestFault? {
        var start = 0
        while start < value.count {
            var end = start
            while end < value.count, value[end] != UInt8(ascii: ",") { end += 1 }
            var option = value[start..<end].drop(while: CharacterClass.isBlank)
            while let last = option.last, CharacterClass.isBlank(last) { option.removeLast() }
            if isSame(UnsafeRawBufferPointer(rebasing: option), "close") { close() }
            start = end + 1
        }
        return nil
    }

    /// What is wrong with the fields together.
    func headFault() -> RequestFault? {
        guard seen.contains(.host) else { return .malformed }
        if seen.contains(.transferEncoding) {
            // With a length beside it there are two opinions on where the request ends.
            return seen.contains(.contentLength) ? .malformed : .lengthRequired
        }
        if isPost, !seen.contains(.contentLength) { return .lengthRequired }
        if seen.contains(.expect) { return .expectation }
        if seen.contains(.contentEncoding) { return .encoding }
        let isReading = route == .health || route == .ready || route == .metrics
        return isReading && contentLength > 0 ? .malformed : nil
    }

    /// Whether bytes are this text, which is in lower case, in either case.
    private func isSame(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in bytes.indices {
            let byte = bytes[index]
            let lower = 0x41...0x5A ~= byte ? byte | 0x20 : byte
            if lower != text.utf8Start[index] { return false }
        }
        return true
    }
}
