import Foundation

/// What a server was told, by the paths of keys: `storage.pack_size`. Each value knows where it came from, so that an error can
/// name the place.
struct Settings: Sendable {
    /// One value.
    struct Setting: Equatable, Sendable {
        enum Value: Equatable, Sendable {
            case text(String)
            case list([String])
        }

        let value: Value
        /// `cairn.yaml:12`, `CAIRN_LISTEN` or `--listen`.
        let origin: String
        /// Orders the complaints: the line in the file.
        var line = 0
    }

    private(set) var values: [String: Setting] = [:]

    /// Sets a value, in the place of one that was told before.
    mutating func set(_ path: String, _ setting: Setting) { values[path] = setting }

    /// The value at a path.
    subscript(path: String) -> Setting? { values[path] }

    /// Puts what another place told over these.
    mutating func override(by others: Settings) {
        for (path, setting) in others.values {
            values[path] = setting
            // A secret and the file with it stand for each other.
            values[Self.counterpart(of: path)] = others.values[Self.counterpart(of: path)]
        }
    }

    private static func counterpart(of path: String) -> String {
        path.hasSuffix("_file") ? String(path.dropLast("_file".count)) : path + "_file"
    }

    /// How many regions the storage has been told of.
    var regionCount: Int {
        let numbers = values.keys.compactMap { path -> Int? in
            let parts = path.split(separator: ".")
            return parts.count > 2 && parts[0] == "storage" && parts[1] == "regions" ? Int(parts[2]) : nil
        }
        return (numbers.max() ?? -1) + 1
    }

    /// Makes sure that every key is known and every value of its type.
    /// - Throws: ``Failure`` `configuration`: the first complaint, in the order of the lines.
    func check() throws {
        let ordered = values.sorted { ($0.value.line, $0.key) < ($1.value.line, $1.key) }
        for (path, setting) in ordered {
            guard let key = SettingKey.find(path) else {
                throw Failure(.configuration, "\(setting.origin): \(path): \(Self.unknown(path))")
            }
            if let complaint = key.complaint(about: setting.value) {
                throw Failure(.configuration, "\(setting.origin): \(path): \(complaint)")
            }
            if key.isSecret, let file = values[path + "_file"] {
                throw Failure(
                    .configuration, "\(file.origin): \(path)_file: \(path) is given too; only one of them may be")
            }
        }
    }

    private static func unknown(_ path: String) -> String {
        if SettingKey.isSection(path) { return "is a section: its keys go below it" }
        let parent = path.split(separator: ".").dropLast().joined(separator: ".")
        return SettingKey.find(parent) != nil ? "has nothing below it" : "there is no such key"
    }
}

extension Settings {
    /// What the environment tells: `CAIRN_STORAGE_PACK_SIZE`. Lists are separated by commas; what is empty is not told.
    static func environment(_ variables: [String: String], regions: Int) -> Settings {
        var settings = Settings()
        let paths = SettingKey.all.flatMap { key -> [String] in
            guard key.path.contains("*") else { return [key.path] }
            return (0..<regions).map { key.path.replacing("*", with: "\($0)") }
        }
        for path in paths {
            let name = SettingKey.variable(of: path)
            guard let text = variables[name], !text.isEmpty, let key = SettingKey.find(path) else { continue }
            settings.set(path, Setting(value: key.value(of: text), origin: name))
        }
        return settings
    }

    /// What the words of a command line tell, which have been checked before.
    static func options(_ words: [String]) -> Settings {
        var settings = Settings()
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" { break }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let option = SettingKey.options[parts[0]], let key = SettingKey.find(option.path) else { continue }
            let text = option.fixed ?? (parts.count > 1 ? parts[1] : rest.popFirst() ?? "")
            var value = key.value(of: text)
            // An option that is given again adds to a list, and takes the place of a single value.
            if case .list(let more) = value, case .list(let before)? = settings[option.path]?.value {
                value = .list(before + more)
            }
            settings.set(option.path, Setting(value: value, origin: parts[0]))
        }
        return settings
    }
}
