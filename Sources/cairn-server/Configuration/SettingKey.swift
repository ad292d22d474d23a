import Foundation
import HTTPAPI
import Logging

/// A key that a configuration may have, and what its values look like.
struct SettingKey: Sendable {
    /// What a value is.
    enum Form: Sendable {
        case text
        case list
        /// A list of URLs, which may have commas of their own.
        case urls
        case flag
        case number(ClosedRange<Int>)
        case bytes(ClosedRange<Int>)
        case time
        case choice([String])
    }

    /// The key and those above it, joined by dots; a star stands for a number in a list.
    let path: String
    let form: Form
    /// Whether the value may be in a file of its own, which the same key with `_file` names.
    var isSecret = false

    init(_ path: String, _ form: Form, isSecret: Bool = false) {
        self.path = path
        self.form = form
        self.isSecret = isSecret
    }

    /// The key of a path.
    static func find(_ path: String) -> SettingKey? {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false)
        return byPath[parts.map { $0.allSatisfy(\.isNumber) && !$0.isEmpty ? "*" : String($0) }.joined(separator: ".")]
    }

    /// Whether a path is that of keys, not of a value.
    static func isSection(_ path: String) -> Bool { all.contains { $0.path.hasPrefix(path + ".") } }

    /// The variable of the environment that stands for a path.
    static func variable(of path: String) -> String {
        "CAIRN_" + path.uppercased().replacing(".", with: "_")
    }

    /// What a text is for this key.
    func value(of text: String) -> Settings.Setting.Value {
        // Paths and addresses in lists may hold anything but a comma.
        let parts = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        switch form {
        case .list: return .list(parts)
        case .urls:
            // What has no scheme goes on with the URL before it.
            return .list(
                parts.reduce(into: []) { urls, part in
                    if part.contains("://") || urls.isEmpty {
                        urls.append(part)
                    } else {
                        urls[urls.count - 1] += ",\(part)"
                    }
                })
        default: return .text(text)
        }
    }

    /// What is wrong with a value; nil when nothing is. It never repeats what may be a secret.
    func complaint(about value: Settings.Setting.Value) -> String? {
        let text: String
        switch (value, form) {
        case (.list(let texts), .list), (.list(let texts), .urls):
            return texts.contains("") ? "has an empty entry" : nil
        case (.list, _): return "takes one value, not a list"
        case (.text(let found), _): text = found
        }
        if text.isEmpty { return "has no value" }
        return switch form {
        case .text, .list, .urls: nil
        case .flag: ["true", "false"].contains(text) ? nil : "is true or false"
        case .number(let range): Int(text).map(range.contains) == true ? nil : "is a number, \(Self.words(range))"
        case .bytes(let range):
            ByteCount(argument: text).map { range.contains($0.bytes) } == true
                ? nil
                : "is a number of bytes such as 64M, from \(Self.size(range.lowerBound)) to \(Self.size(range.upperBound))"
        case .time: TimeSpan(argument: text) != nil ? nil : "is a time such as 6h, 30m or 10s"
        case .choice(let words): words.contains(text) ? nil : "is one of \(words.joined(separator: ", "))"
        }
    }

    private static func words(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) to \(range.upperBound)" }

    private static func size(_ bytes: Int) -> String {
        bytes >= 1 << 30 ? "\(bytes >> 30)G" : bytes >= 1 << 20 ? "\(bytes >> 20)M" : "\(bytes >> 10)K"
    }

    // MARK: All keys

    /// All keys, with those of files for secrets.
    static let all: [SettingKey] = plain.flatMap { key in
        key.isSecret ? [key, SettingKey(key.path + "_file", .text)] : [key]
    }

    private static let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0) })

    private static let plain: [SettingKey] = [
        SettingKey("roles", .list), SettingKey("data", .text), SettingKey("keyring_file", .text),
        SettingKey("listen", .text), SettingKey("insecure_listen", .flag),
        SettingKey("tls.certificate", .text), SettingKey("tls.key", .text),
        SettingKey("drain", .time), SettingKey("lease", .time),
        SettingKey("database.kind", .choice(["sqlite", "postgresql"])),
        SettingKey("database.url", .text, isSecret: true), SettingKey("database.standby_urls", .list, isSecret: true),
        SettingKey("database.pool", .number(1...1000)),
        SettingKey("storage.kind", .choice(["local", "s3"])), SettingKey("storage.directories", .list),
        SettingKey("storage.pack_size", .bytes(1 << 20...2 << 30)),
        SettingKey("storage.policy", .choice(["all", "one"])),
        SettingKey("storage.regions.*.name", .text), SettingKey("storage.regions.*.endpoint", .text),
        SettingKey("storage.regions.*.bucket", .text), SettingKey("storage.regions.*.region", .text),
        SettingKey("storage.regions.*.access_key", .text, isSecret: true),
        SettingKey("storage.regions.*.secret_key", .text, isSecret: true),
        SettingKey("storage.regions.*.ca", .text), SettingKey("storage.regions.*.path_style", .flag),
        SettingKey("bus.kind", .choice(["local", "redis"])), SettingKey("bus.url", .text, isSecret: true),
        SettingKey("queue.kind", .choice(["sql", "redis"])), SettingKey("queue.first_directory", .text),
        SettingKey("queue.second_directory", .text), SettingKey("queue.urls", .urls, isSecret: true),
        SettingKey("cache.kind", .choice(["none", "memory", "redis"])), SettingKey("cache.url", .text, isSecret: true),
        SettingKey("cache.size", .bytes(1 << 20...1 << 40)),
        SettingKey("limits.kind", .choice(["memory", "redis"])), SettingKey("limits.url", .text, isSecret: true),
        SettingKey("archive.kind", .choice(["local", "s3"])),
        SettingKey("archive.endpoint", .text), SettingKey("archive.bucket", .text), SettingKey("archive.region", .text),
        SettingKey("archive.access_key", .text, isSecret: true),
        SettingKey("archive.secret_key", .text, isSecret: true),
        SettingKey("archive.ca", .text), SettingKey("archive.path_style", .flag),
        SettingKey("archive.storage_class", .text),
        SettingKey("archive.restore_tier", .choice(["expedited", "standard", "bulk"])),
        SettingKey("archive.restore_days", .number(1...365)),
        SettingKey("archive.directory", .text), SettingKey("archive.thaw_delay", .time),
        SettingKey("archive.after", .time), SettingKey("archive.unused", .time), SettingKey("archive.keep", .time),
        SettingKey("archive.interval", .time),
        SettingKey("notify.listen", .text), SettingKey("notify.capacity", .number(1...2_000_000)),
        SettingKey("notify.urls", .list),
        SettingKey("collect.interval", .time), SettingKey("collect.safety_window", .time),
        SettingKey("collect.pack_window", .time), SettingKey("collect.rate", .bytes(64 << 10...1 << 40)),
        SettingKey("scrub.enabled", .flag), SettingKey("scrub.rate", .bytes(1...1 << 40)),
        SettingKey("log.level", .choice(Logger.Level.allCases.map(\.rawValue))),
        SettingKey("log.format", .choice(LogFormat.allCases.map(\.rawValue))),
    ]

    // MARK: Options

    /// The keys that options stand for. One with a `fixed` value takes none.
    static let options: [String: (path: String, fixed: String?)] = [
        "--role": ("roles", nil), "--data": ("data", nil), "--database": ("database.url", nil),
        "--listen": ("listen", nil),
        "--insecure-listen": ("insecure_listen", "true"), "--drain": ("drain", nil),
        "--tls-certificate": ("tls.certificate", nil), "--tls-key": ("tls.key", nil),
        "--region": ("storage.directories", nil), "--pack-size": ("storage.pack_size", nil),
        "--queue": ("queue.second_directory", nil),
        "--archive": ("archive.directory", nil), "--archive-thaw-delay": ("archive.thaw_delay", nil),
        "--archive-after": ("archive.after", nil), "--archive-unused": ("archive.unused", nil),
        "--archive-keep": ("archive.keep", nil), "--archive-interval": ("archive.interval", nil),
        "--notify-listen": ("notify.listen", nil), "--notify-capacity": ("notify.capacity", nil),
        "--notify-url": ("notify.urls", nil),
        "--collect-interval": ("collect.interval", nil), "--safety-window": ("collect.safety_window", nil),
        "--pack-window": ("collect.pack_window", nil), "--collect-rate": ("collect.rate", nil),
        "--scrub-rate": ("scrub.rate", nil), "--no-scrub": ("scrub.enabled", "false"),
        "--log-level": ("log.level", nil), "--log-format": ("log.format", nil),
    ]
}
