import Foundation

/// What is remembered of the last pass over a link as a whole.
struct PassNote: Codable, Hashable, Sendable {
    /// When the last complete pass ended, ISO 8601; nil when none did.
    var ended: String?
    /// Why the link stands still; nil when it does not.
    var problem: String?
    /// The kind of that problem.
    var code: String?

    static func load(_ connection: StateConnection, link: LinkID) throws -> PassNote? {
        guard let bytes = try CounterQueries(connection).setting(key(link)) else { return nil }
        // A note that can't be read says nothing: the next pass writes another.
        return try? JSONDecoder().decode(PassNote.self, from: Data(bytes))
    }

    func save(_ connection: StateConnection, link: LinkID) throws {
        try CounterQueries(connection).set(Self.key(link), [UInt8](try JSONEncoder().encode(self)))
    }

    static func remove(_ connection: StateConnection, link: LinkID) throws {
        try CounterQueries(connection).set(key(link), nil)
    }

    private static func key(_ link: LinkID) -> String { "pass-\(link.rawValue)" }
}
