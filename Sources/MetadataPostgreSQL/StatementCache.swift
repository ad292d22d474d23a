import CPQ

/// The statements that one connection has prepared, by their texts and the types of their values.
///
/// Nothing is of any type: a statement that was prepared for numbers takes it, and only a text that has not been met with
/// a value in that place is prepared without one, which leaves it to the server to find the type out.
struct StatementCache {
    /// A statement that the server knows, or is about to.
    struct Entry: Hashable {
        let name: String
        let types: [Oid]
    }

    /// What has to be done before a statement runs.
    struct Lookup: Hashable {
        /// The statement to run.
        let entry: Entry
        /// Whether it has to be prepared.
        let isNew: Bool
        /// The statements that the server is to forget, by their names.
        let evicted: [String]
    }

    private struct Kept {
        let entry: Entry
        var lastUse: Int
    }

    /// How many statements are kept: more than callers use.
    private let limit: Int
    private var byText: [String: [Kept]] = [:]
    private var number = 0
    private var uses = 0

    /// How many statements are kept.
    private(set) var count = 0

    init(limit: Int = 600) {
        self.limit = limit
    }

    /// Finds the statement for a text and the types of its values, or takes it in.
    /// - Complexity: O(1), and O(limit) when another has to go.
    mutating func lookUp(_ sql: String, _ types: [Oid]) -> Lookup {
        uses += 1
        if let index = byText[sql]?.firstIndex(where: { Self.fits($0.entry.types, types) }) {
            byText[sql]?[index].lastUse = uses
            if let entry = byText[sql]?[index].entry { return Lookup(entry: entry, isNew: false, evicted: []) }
        }
        let evicted = count >= limit ? evictOldest() : nil
        number += 1
        let known = byText[sql]?.map(\.entry.types) ?? []
        let entry = Entry(name: "s\(number)", types: Self.filled(types, from: known))
        byText[sql, default: []].append(Kept(entry: entry, lastUse: uses))
        count += 1
        return Lookup(entry: entry, isNew: true, evicted: evicted.map { [$0] } ?? [])
    }

    /// Forgets a statement that the server refused to prepare.
    mutating func forget(_ entry: Entry, _ sql: String) {
        guard let index = byText[sql]?.firstIndex(where: { $0.entry == entry }) else { return }
        byText[sql]?.remove(at: index)
        if byText[sql]?.isEmpty == true { byText[sql] = nil }
        count -= 1
    }

    private mutating func evictOldest() -> String? {
        let all = byText.flatMap { sql, kept in kept.map { (sql: sql, kept: $0) } }
        guard let oldest = all.min(by: { $0.kept.lastUse < $1.kept.lastUse }) else { return nil }
        forget(oldest.kept.entry, oldest.sql)
        return oldest.kept.entry.name
    }

    /// Whether values of some types may be given to a statement that was prepared for others.
    private static func fits(_ prepared: [Oid], _ types: [Oid]) -> Bool {
        prepared.count == types.count
            && zip(prepared, types).allSatisfy { $1 == TypeNumber.unknown || $0 == $1 }
    }

    private static func filled(_ types: [Oid], from known: [[Oid]]) -> [Oid] {
        types.enumerated().map { index, type in
            guard type == TypeNumber.unknown else { return type }
            return known.first { $0.count == types.count && $0[index] != TypeNumber.unknown }?[index] ?? type
        }
    }
}
