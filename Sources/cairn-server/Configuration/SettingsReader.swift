import Foundation

/// Reads values out of settings that have been checked, and says whose fault it is when they do not go together.
struct SettingsReader {
    let settings: Settings
    /// Reads a file that a key with `_file` names.
    let contents: (String) throws -> String

    func text(_ path: String) -> String? {
        guard case .text(let text)? = settings[path]?.value else { return nil }
        return text
    }

    func list(_ path: String) -> [String]? {
        guard case .list(let texts)? = settings[path]?.value else { return nil }
        return texts
    }

    func number(_ path: String) -> Int? { text(path).flatMap { Int($0) } }

    func bytes(_ path: String) -> Int? { text(path).flatMap { ByteCount(argument: $0)?.bytes } }

    func time(_ path: String) -> Duration? { text(path).flatMap { TimeSpan(argument: $0)?.duration } }

    func flag(_ path: String) -> Bool? { text(path).map { $0 == "true" } }

    /// A value that may be in a file of its own.
    func secret(_ path: String) throws -> String? {
        if let text = text(path) { return text }
        return try lines(of: path)?.first
    }

    /// Values that may be in a file of their own, a line each.
    func secrets(_ path: String) throws -> [String]? {
        if let texts = list(path) { return texts }
        return try lines(of: path)
    }

    private func lines(of path: String) throws -> [String]? {
        guard let file = text(path + "_file") else { return nil }
        let text: String
        do { text = try contents(file) } catch { throw complaint(path + "_file", "\(file) can't be read") }
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        guard lines.contains(where: { !$0.isEmpty }) else { throw complaint(path + "_file", "\(file) is empty") }
        return lines.filter { !$0.isEmpty }
    }

    /// A value that has to be there.
    func required<T>(_ value: T?, _ path: String, for reason: String) throws -> T {
        guard let value else { throw Failure(.configuration, "\(path): is missing: \(reason) needs it") }
        return value
    }

    /// Makes sure that a section has no keys but those of the kind that was chosen.
    func only(_ keys: [String], in section: String, kind: String) throws {
        for (path, setting) in settings.values.sorted(by: { ($0.value.line, $0.key) < ($1.value.line, $1.key) })
        where path.hasPrefix(section + ".") && path != section + ".kind" {
            let key = path.split(separator: ".")[1]
            guard keys.contains(where: { key == $0 || key == $0 + "_file" }) else {
                throw Failure(
                    .configuration, "\(setting.origin): \(path): does not go with \(section).kind, which is \(kind)")
            }
        }
    }

    /// The complaint about a value, with the place that told it.
    func complaint(_ path: String, _ problem: String, _ code: Failure.Code = .configuration) -> Failure {
        let setting = settings[path] ?? settings[path + "_file"]
        return Failure(code, setting.map { "\($0.origin): \(path): \(problem)" } ?? "\(path): \(problem)")
    }
}
