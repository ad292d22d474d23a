/// One element of an answer's XML: its name without prefix, its text, and the elements within.
package struct XMLElement: Hashable, Sendable {
    package let name: String
    fileprivate(set) var text = ""
    fileprivate(set) var children: [XMLElement] = []

    /// The first element of a name within.
    package func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The text of the first element of a name within; nil when there is none.
    package func text(_ name: String) -> String? { child(name)?.text }

    /// All elements of a name within.
    package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}

/// Reads the XML that S3 servers answer: elements, attributes that are passed over, text, and the five entities.
///
/// It is strict: what is not well-formed, has a document type, or is nested deeper than any answer, is refused. The
/// parser of Foundation would bring libxml2 into the server for these few lines.
package struct XMLReader {
    /// Why a text is not such XML.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let deepest = 16

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The root element of a document.
    package static func read(_ bytes: [UInt8]) throws(Failure) -> XMLElement {
        var reader = XMLReader(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        try reader.passOver()
        let root = try reader.element(depth: 0)
        try reader.passOver()
        guard reader.position == bytes.count else { throw reader.failure("something follows the document") }
        return root
    }

    private func failure(_ what: String) -> Failure { Failure(description: "\(what) at byte \(position)") }

    private func isNext(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    private mutating func take(_ text: String) -> Bool {
        guard isNext(text) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func takeSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    /// Goes behind the next occurrence of a text and answers what lies before it.
    private mutating func take(upTo end: String) throws(Failure) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count {
            if bytes[position] == end.utf8.first, take(end) { return bytes[start..<position - end.utf8.count] }
            position += 1
        }
        throw failure("no '\(end)'")
    }

    /// Space, comments and the declaration.
    private mutating func passOver() throws(Failure) {
        while true {
            takeSpace()
            if take("<!--") {
                _ = try take(upTo: "-->")
            } else if take("<?") {
                _ = try take(upTo: "?>")
            } else {
                return
            }
        }
    }

    private mutating func element(depth: Int) throws(Failure) -> XMLElement {
        guard depth < Self.deepest else { throw failure("elements within elements") }
        guard take("<") else { throw failure("no element") }
        let (fullName, isEmpty) = try openingTag()
        var element = XMLElement(name: fullName.split(separator: ":").last.map(String.init) ?? fullName)
        if isEmpty { return element }
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw failure("'\(fullName)' has no end") }
            if take("</") {
                let end = try take(upTo: ">")
                guard Self.trimmed(end) == fullName else { throw failure("'\(fullName)' is ended by another name") }
                element.text = String(decoding: text, as: UTF8.self)
                return element
            } else if take("<!--") {
                _ = try take(upTo: "-->")
            } else if take("<![CDATA[") {
                text += try take(upTo: "]]>")
            } else if isNext("<") {
                element.children.append(try self.element(depth: depth + 1))
            } else if take("&") {
                text += try entity()
            } else {
                text.append(bytes[position])
                position += 1
            }
        }
    }

    /// The rest of a tag behind `<`; attributes are passed over.
    private mutating func openingTag() throws(Failure) -> (name: String, isEmpty: Bool) {
        let start = position
        while position < bytes.count, Self.isPartOfName(bytes[position]) { position += 1 }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        guard !name.isEmpty else { throw failure("no name") }
        while true {
            takeSpace()
            if take("/>") { return (name, true) }
            if take(">") { return (name, false) }
            let attribute = try take(upTo: "=")
            guard !attribute.isEmpty, attribute.allSatisfy({ Self.isPartOfName($0) }) else {
                throw failure("no attribute")
            }
            guard position < bytes.count, [0x22, 0x27].contains(bytes[position]) else {
                throw failure("an attribute without quotes")
            }
            let quote = bytes[position] == 0x22 ? "\"" : "'"
            position += 1
            _ = try take(upTo: quote)
        }
    }

    private mutating func entity() throws(Failure) -> [UInt8] {
        let name = String(decoding: try take(upTo: ";").prefix(12), as: UTF8.self)
        switch name {
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "amp": return [UInt8(ascii: "&")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default:
            let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
            guard name.hasPrefix("#"), let scalar = number.flatMap({ Unicode.Scalar($0) }) else {
                throw failure("an unknown entity '\(name)'")
            }
            return Array(String(Character(scalar)).utf8)
        }
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: ":"), 0x80...:
            true
        default: false
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.reversed().drop { $0 <= 0x20 }.reversed(), as: UTF8.self)
    }
}

extension String {
    /// The text as it may stand in XML.
    package var escapedForXML: String {
        reduce(into: "") { text, character in
            switch character {
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "&": text += "&amp;"
            case "\"": text += "&quot;"
            default: text.append(character)
            }
        }
    }
}
