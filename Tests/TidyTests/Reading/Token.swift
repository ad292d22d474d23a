/// One piece of Swift source. What the checks look at is tokens, so that a banned word in a string or a comment is
/// never mistaken for a call, nor a brace in a string for a body.
struct Token: Hashable {
    enum Kind: Hashable {
        case identifier, number, punctuation, string, comment, documentation
    }

    let kind: Kind
    let text: String
    /// The line on which it starts, from 1.
    let line: Int
    /// The line on which it ends.
    let endLine: Int

    var isComment: Bool { kind == .comment || kind == .documentation }
}
