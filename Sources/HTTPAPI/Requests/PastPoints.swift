import Files
import Hummingbird
import Model
import WireProtocol

/// Points in the past as requests name them: a revision in decimal, or a moment of RFC 3339.
enum PastPoints {
    static func read(_ text: String, _ name: String) throws -> PastPoint {
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let number = UInt64(text), number <= UInt64(Int64.max) else {
                throw Problem.invalid("'\(name)' is not a revision")
            }
            return .revision(Revision(number))
        }
        return .time(try moment(text, name))
    }

    static func moment(_ text: String, _ name: String) throws -> Timestamp {
        guard let time = RFC3339.read(text) else {
            throw Problem.invalid("'\(name)' is neither a revision nor a moment such as 2026-01-02T15:04:05Z")
        }
        return time
    }
}

extension Request {
    /// A point in the past in the query; nil when it is not there.
    func pastPoint(_ name: String) throws -> PastPoint? { try text(name).map { try PastPoints.read($0, name) } }

    /// The past can't be written.
    func refusePastPoint() throws {
        if text("at") != nil { throw Problem.invalid("what was can't be changed: leave 'at' out") }
    }
}
