import Files
import Model

/// Entity tags: the name of a content in quotes. Equal tags mean equal bytes, so they are strong.
enum EntityTag {
    static func text(_ content: ContentID) -> String { "\"\(content)\"" }

    /// Reads an `If-Match` or `If-None-Match` field: `*`, or tags with commas between. A tag that names no content
    /// matches nothing; a weak one is compared as if it were strong, since ours are.
    static func match(_ field: String?) -> EntityMatch? {
        guard let field else { return nil }
        let tags = field.split(separator: ",").map { trimmed($0) }
        if tags == ["*"] { return .any }
        return .contents(Set(tags.compactMap(content)))
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    private static func content(_ tag: String) -> ContentID? {
        var tag = tag[...]
        if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
        guard tag.count >= 2, tag.first == "\"", tag.last == "\"" else { return nil }
        let parts = tag.dropFirst().dropLast().split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let level = UInt8(parts[0]), let digest = Digest(hex: String(parts[1])) else {
            return nil
        }
        return ContentID(level: level, digest: digest)
    }
}
