@testable import NotificationReactor

/// The grammar that a reactor accepts, written a second time, for whole inputs and with no thought for speed: it knows the
/// input as lines, and decides about each rule by itself.
enum ReferenceGrammar {
    /// What the input begins with: a request, with what it says; or nil when it is none, or not yet.
    static func accepted(_ bytes: [UInt8]) -> ParsedRequest? {
        guard let end = headEnd(bytes), end <= 4_096 else { return nil }
        var lines = split(Array(bytes[..<(end - 4)]))
        let start = lines.removeFirst()
        guard lines.count <= 64, let fields = allFields(lines), let (method, target) = requestLine(start) else {
            return nil
        }
        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
        guard values("host").count == 1, values("transfer-encoding").isEmpty, values("expect").isEmpty,
            values("content-encoding").allSatisfy({ $0.lowercased() == "identity" }),
            values("authorization").count <= 1,
            values("content-length").count <= 1
        else { return nil }
        guard let length = length(values("content-length").first, required: method == "POST") else { return nil }
        let route = route(method, target)
        if [.health, .ready, .metrics].contains(route), length > 0 { return nil }
        guard bytes.count >= end + length else { return nil }
        let options = values("connection").flatMap { $0.split(separator: ",") }.map { trimmed($0).lowercased() }
        return .whole(
            route, length: end + length, token: token(values("authorization").first ?? ""),
            body: Array(bytes[end..<end + length]), closes: options.contains("close"))
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first {
            bytes[$0 - 4] == 13 && bytes[$0 - 3] == 10 && bytes[$0 - 2] == 13 && bytes[$0 - 1] == 10
        }
    }

    private static func split(_ head: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var index = 0
        while index < head.count {
            if index + 1 < head.count, head[index] == 13, head[index + 1] == 10 {
                lines.append([])
                index += 2
            } else {
                lines[lines.count - 1].append(head[index])
                index += 1
            }
        }
        return lines
    }

    private static func requestLine(_ line: [UInt8]) -> (method: String, target: String)? {
        let words = line.split(separator: 32, omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy(isName), words[1].first == 47,
            words[1].allSatisfy({ (33...126).contains($0) && $0 != 35 }), Array(words[2]) == Array("HTTP/1.1".utf8)
        else { return nil }
        return (String(decoding: words[0], as: UTF8.self), String(decoding: words[1], as: UTF8.self))
    }

    private static func allFields(_ lines: [[UInt8]]) -> [(name: String, value: String)]? {
        var fields: [(name: String, value: String)] = []
        for line in lines {
            let parts = line.split(separator: 58, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy(isName),
                parts[1].allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) })
            else { return nil }
            // Latin 1 keeps every byte a character of its own.
            let value = String(String.UnicodeScalarView(parts[1].map { Unicode.Scalar($0) }))
            fields.append((String(decoding: parts[0], as: UTF8.self).lowercased(), trimmed(Substring(value))))
        }
        return fields
    }

    private static let names = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    private static func isName(_ byte: UInt8) -> Bool {
        names.contains(byte)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.unicodeScalars.first, first == " " || first == "\t" { text.unicodeScalars.removeFirst() }
        while let last = text.unicodeScalars.last, last == " " || last == "\t" { text.unicodeScalars.removeLast() }
        return String(text)
    }

    private static func length(_ value: String?, required: Bool) -> Int? {
        guard let value else { return required ? nil : 0 }
        guard !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let digits = value.drop { $0 == "0" }
        guard digits.count <= 4, let length = Int(digits.isEmpty ? "0" : digits), length <= 2_048 else { return nil }
        return length
    }

    private static func token(_ value: String) -> [UInt8] {
        guard value.lowercased().hasPrefix("bearer ") else { return [] }
        let token = value.dropFirst(7).drop { $0 == " " }
        return token.unicodeScalars.map { UInt8($0.value) }
    }

    private static func route(_ method: String, _ target: String) -> Route {
        switch (target, method) {
        case ("/v1/poll", "POST"): .poll
        case ("/v1/poll", _): .onlyPost
        case ("/health", "GET"): .health
        case ("/ready", "GET"): .ready
        case ("/metrics", "GET"): .metrics
        case ("/health", _), ("/ready", _), ("/metrics", _): .onlyGet
        default: .unknown
        }
    }
}
