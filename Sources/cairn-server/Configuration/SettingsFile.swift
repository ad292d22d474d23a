import Foundation
import Yams

/// A configuration file: YAML, whose mappings and lists become paths.
enum SettingsFile {
    /// The most bytes that a file may have.
    private static let mostBytes = 1 << 20

    /// Reads a file.
    /// - Throws: ``Failure`` `configuration` naming the file, and the line and the key where there is one.
    static func read(_ path: String) throws -> Settings {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw Failure(errno == EACCES ? .permission : .configuration, "\(path) can't be read")
        }
        guard bytes.count <= mostBytes, let text = String(data: bytes, encoding: .utf8) else {
            throw Failure(.configuration, "\(path) is no configuration: it is too large, or no text in UTF-8")
        }
        return try parse(text, file: (path as NSString).lastPathComponent)
    }

    /// Reads the text of a file.
    /// - Throws: as ``read(_:)``.
    static func parse(_ text: String, file: String) throws -> Settings {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Failure(.configuration, "\(file): \(describe(error))")
        }
        var settings = Settings()
        guard let root, !isEmpty(root) else { return settings }
        guard case .mapping(let mapping) = root else {
            throw Failure(.configuration, "\(file):1: a configuration has keys, each with a value")
        }
        try read(mapping, below: "", file, &settings)
        return settings
    }

    private static func read(
        _ mapping: Node.Mapping, below path: String, _ file: String, _ settings: inout Settings
    ) throws {
        for (key, value) in mapping {
            let line = key.mark?.line ?? value.mark?.line ?? 0
            guard let name = key.scalar?.string, !name.contains(".") else {
                throw Failure(.configuration, "\(file):\(line): a key is a word")
            }
            try read(value, at: path + name, line, file, &settings)
        }
    }

    private static func read(
        _ node: Node, at path: String, _ line: Int, _ file: String, _ settings: inout Settings
    ) throws {
        let origin = "\(file):\(line)"
        switch node {
        case .scalar(let scalar):
            if isEmpty(node) { throw Failure(.configuration, "\(origin): \(path): has no value") }
            let value = SettingKey.find(path)?.value(of: scalar.string) ?? .text(scalar.string)
            settings.set(path, Settings.Setting(value: value, origin: origin, line: line))
        case .mapping(let mapping):
            guard !mapping.isEmpty else { throw Failure(.configuration, "\(origin): \(path): has no keys") }
            try read(mapping, below: path + ".", file, &settings)
        case .sequence(let sequence):
            let mappings = sequence.compactMap(\.mapping)
            if !mappings.isEmpty, mappings.count == sequence.count {
                for (index, mapping) in mappings.enumerated() {
                    try read(mapping, below: "\(path).\(index).", file, &settings)
                }
                return
            }
            let texts = sequence.compactMap { isEmpty($0) ? nil : $0.scalar?.string }
            guard texts.count == sequence.count else {
                throw Failure(.configuration, "\(origin): \(path): is a list of values, or one of sections")
            }
            settings.set(path, Settings.Setting(value: .list(texts), origin: origin, line: line))
        case .alias: throw Failure(.configuration, "\(origin): \(path): refers to what is not there")
        }
    }

    /// Whether nothing stands there, or the word for nothing without quotes.
    private static func isEmpty(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    /// What the parser says, without the text that it quotes, which may be secret.
    private static func describe(_ error: any Error) -> String {
        guard let error = error as? YamlError else { return "can't be read as YAML" }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            return "line \(context.mark.line): a key is there twice: \(duplicates.joined(separator: ", "))"
        default: return "can't be read as YAML"
        }
    }
}
