import Foundation

extension RetentionPolicy {
    /// Reads a policy: one of the names, or a JSON document.
    ///
    /// A document may hold `base` (a name; `default` when it is missing) and any of `ladder`, `collapse`, `max_versions`,
    /// `min_age`, `keep_deleted`, `yields_to_quota`; what is missing is as in the base. `null` takes a limit away.
    /// - Throws: ``PolicyError``, also for keys that are not known.
    public init(parsing text: String) throws(PolicyError) {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if let named = Self.named(trimmed) {
            self = named
            return
        }
        guard trimmed.hasPrefix("{") else {
            let names = Self.named.map(\.name).joined(separator: ", ")
            throw PolicyError("'\(trimmed.prefix(60))' is no policy: use one of \(names), or a JSON document")
        }
        do {
            self = try JSONDecoder().decode(RetentionPolicy.self, from: Data(trimmed.utf8))
        } catch {
            throw Self.error(error)
        }
    }

    /// The policy of a name; nil when there is none.
    public static func named(_ name: String) -> RetentionPolicy? { named.first { $0.name == name }?.policy }

    /// The name of this policy; nil when it has none.
    public var name: String? { Self.named.first { $0.policy == self }?.name }

    /// The whole policy as a document of one line, which ``init(parsing:)`` reads.
    public var document: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in a policy can't be written.
        guard let data = try? encoder.encode(self) else { preconditionFailure("a policy could not be written") }
        return String(decoding: data, as: UTF8.self)
    }

    private static func error(_ error: any Error) -> PolicyError {
        switch error {
        case let error as PolicyError: error
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            PolicyError("\(path(context)): \(context.debugDescription)")
        case DecodingError.keyNotFound(let key, let context):
            PolicyError("\(path(context)): '\(key.stringValue)' is missing")
        case DecodingError.dataCorrupted(let context): PolicyError("\(path(context)): \(context.debugDescription)")
        default: PolicyError("the policy can't be read: \(error)")
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        let path = context.codingPath.map { $0.intValue.map { "step \($0 + 1)" } ?? $0.stringValue }
        return path.isEmpty ? "the policy" : path.joined(separator: ", ")
    }
}

/// Any key, so that one that is not known is seen.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }

    init?(intValue: Int) { nil }
}

extension Decoder {
    /// The members of an object, none of which may be unknown.
    fileprivate func members<Key: CodingKey & CaseIterable>(_: Key.Type) throws -> KeyedDecodingContainer<Key> {
        for key in try container(keyedBy: AnyKey.self).allKeys where Key(stringValue: key.stringValue) == nil {
            let known = Key.allCases.map(\.stringValue).joined(separator: ", ")
            throw PolicyError("'\(key.stringValue)' is not known; what there is: \(known)")
        }
        return try container(keyedBy: Key.self)
    }
}

extension RetentionPolicy: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case base, ladder, collapse
        case maxVersions = "max_versions"
        case minAge = "min_age"
        case keepDeleted = "keep_deleted"
        case yieldsToQuota = "yields_to_quota"
    }

    /// Reads the members that are there, and takes the others from the base.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.members(CodingKeys.self)
        let name = try members.decodeIfPresent(String.self, forKey: .base) ?? "default"
        guard let base = Self.named(name) else { throw PolicyError("there is no policy '\(name)' to be the base") }
        func limit<Limit: Decodable>(_ key: CodingKeys, or other: Limit?) throws -> Limit? {
            members.contains(key) ? try members.decodeIfPresent(Limit.self, forKey: key) : other
        }
        let collapse = try limit(.collapse, or: base.collapse)
        try self.init(
            ladder: try members.decodeIfPresent([LadderStep].self, forKey: .ladder) ?? base.ladder,
            collapse: collapse?.seconds == 0 ? nil : collapse,
            maxVersions: try limit(.maxVersions, or: base.maxVersions),
            minAge: try members.decodeIfPresent(Span.self, forKey: .minAge) ?? base.minAge,
            keepDeleted: try limit(.keepDeleted, or: base.keepDeleted),
            yieldsToQuota: try members.decodeIfPresent(Bool.self, forKey: .yieldsToQuota) ?? base.yieldsToQuota)
    }

    /// Writes all members, so that the document does not depend on a base.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(ladder, forKey: .ladder)
        try members.encode(collapse, forKey: .collapse)
        try members.encode(maxVersions, forKey: .maxVersions)
        try members.encode(minAge, forKey: .minAge)
        try members.encode(keepDeleted, forKey: .keepDeleted)
        try members.encode(yieldsToQuota, forKey: .yieldsToQuota)
    }
}

extension LadderStep: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case keep
        case upTo = "for"
    }

    /// Reads `{"keep":"hourly","for":"7d"}`; without `for` the step has no end.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.members(CodingKeys.self)
        let word = try members.decode(String.self, forKey: .keep)
        guard let keep = Granularity(rawValue: word) else {
            let known = Granularity.allCases.map(\.rawValue).joined(separator: ", ")
            throw PolicyError("a ladder can't keep '\(word)'; what there is: \(known)")
        }
        self.init(keep: keep, upTo: try members.decodeIfPresent(Span.self, forKey: .upTo))
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(keep.rawValue, forKey: .keep)
        try members.encodeIfPresent(upTo, forKey: .upTo)
    }
}

extension Span: Codable {
    /// Reads a number with a unit.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let span = Span(text) else {
            throw PolicyError(
                "'\(text)' is no time: a number and one of s, m, h, d, w, y, at most \(Span.longest.text)")
        }
        self = span
    }

    /// Writes ``text``.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(text)
    }
}
