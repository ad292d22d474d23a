import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import cairn_server

/// The message of the failure that a call has to end with.
func complaint<T>(
    _ code: Failure.Code = .configuration, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> T
) -> String {
    do {
        _ = try body()
        Issue.record("nothing was complained of", sourceLocation: sourceLocation)
        return ""
    } catch let failure as Failure {
        #expect(failure.code == code, "\(failure.message)", sourceLocation: sourceLocation)
        return failure.message
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
        return ""
    }
}

@Suite("Settings from files, the environment and options")
struct SettingsTests {
    private func parse(_ text: String) throws -> Settings {
        let settings = try SettingsFile.parse(text, file: "cairn.yaml")
        try settings.check()
        return settings
    }

    @Test("a file's mappings and lists become paths, each with its line")
    func file() throws {
        let settings = try parse(
            """
            # A comment.
            listen: "0.0.0.0:1"
            insecure_listen: true
            storage:
              kind: s3
              regions:
                - name: one
                  bucket: b
                - {name: two, bucket: "c"}
            notify:
              urls: [http://a, http://b]
            roles: api, block
            """)
        #expect(settings["listen"] == .init(value: .text("0.0.0.0:1"), origin: "cairn.yaml:2", line: 2))
        #expect(settings["insecure_listen"]?.value == .text("true"))
        #expect(settings["storage.regions.0.name"] == .init(value: .text("one"), origin: "cairn.yaml:7", line: 7))
        #expect(settings["storage.regions.1.bucket"] == .init(value: .text("c"), origin: "cairn.yaml:9", line: 9))
        #expect(settings["notify.urls"]?.value == .list(["http://a", "http://b"]))
        #expect(settings["roles"]?.value == .list(["api", "block"]))
        #expect(settings.regionCount == 2)
        #expect(settings["drain"] == nil)
    }

    @Test("a file with nothing in it says nothing", arguments: ["", "# nothing\n", "---\n", "~\n", "\n\n"])
    func empty(text: String) throws {
        #expect(try parse(text).values.isEmpty)
    }

    @Test(
        "what is wrong is told with the line and the key",
        arguments: [
            ("data: /d\nlisen: x\n", "cairn.yaml:2: lisen: there is no such key"),
            ("storage:\n  pack_siz: 1M\n", "cairn.yaml:2: storage.pack_siz: there is no such key"),
            ("storage: local\n", "cairn.yaml:1: storage: is a section: its keys go below it"),
            ("listen:\n  host: h\n", "cairn.yaml:2: listen.host: has nothing below it"),
            ("\nlisten: [a, b]\n", "cairn.yaml:2: listen: takes one value, not a list"),
            ("listen:\n", "cairn.yaml:1: listen: has no value"),
            ("listen: ''\n", "cairn.yaml:1: listen: has no value"),
            ("notify:\n", "cairn.yaml:1: notify: has no value"),
            ("notify: {}\n", "cairn.yaml:1: notify: has no keys"),
            ("insecure_listen: maybe\n", "cairn.yaml:1: insecure_listen: is true or false"),
            ("drain: soon\n", "cairn.yaml:1: drain: is a time such as 6h, 30m or 10s"),
            ("notify:\n  capacity: 0\n", "cairn.yaml:2: notify.capacity: is a number, 1 to 2000000"),
            (
                "storage:\n  pack_size: 3G\n",
                "cairn.yaml:2: storage.pack_size: is a number of bytes such as 64M, from 1M to 2G"
            ),
            ("database: {kind: mysql}\n", "cairn.yaml:1: database.kind: is one of sqlite, postgresql"),
            ("log:\n  level: loud\n", "cairn.yaml:2: log.level: is one of trace, debug, info"),
            ("notify:\n  urls: [a, [b]]\n", "cairn.yaml:2: notify.urls: is a list of values, or one of sections"),
            ("notify:\n  urls: [a, '']\n", "cairn.yaml:2: notify.urls: has an empty entry"),
            ("- a\n- b\n", "cairn.yaml:1: a configuration has keys"),
            ("just words\n", "cairn.yaml:1: a configuration has keys"),
            ("database.kind: sqlite\n", "cairn.yaml:1: a key is a word"),
            ("data: /a\ndata: /b\n", "a key is there twice: data"),
            ("data: [a\nlisten: b\n", "line "), ("data: \"a\n", "line "),
            (
                "database:\n  url: u\n  url_file: f\n",
                "cairn.yaml:3: database.url_file: database.url is given too; only one of them may be"
            ),
            ("storage:\n  regions:\n    - nam: a\n", "cairn.yaml:3: storage.regions.0.nam: there is no such key"),
            ("bogus: 1\nlisten: [a]\n", "cairn.yaml:1: bogus"),
        ])
    func wrong(text: String, message: String) {
        let found = complaint { try parse(text) }
        #expect(found.hasPrefix("cairn.yaml:"))
        #expect(found.contains(message), "\(found)")
    }

    @Test("what a broken line holds is not repeated: it may be secret")
    func secrets() {
        let found = complaint { try parse("database:\n  url: \"postgresql://u:hunter2@h\n") }
        #expect(!found.contains("hunter2"))
    }

    @Test("a file that is not there, and one that is no text, are named")
    func unreadable() throws {
        let folder = TemporaryDirectory()
        let path = folder.appending("cairn.yaml")
        #expect(complaint { try SettingsFile.read(path) }.contains(path))
        try Data([0xff, 0xfe, 0x00]).write(to: URL(fileURLWithPath: path))
        #expect(complaint { try SettingsFile.read(path) }.contains(path))
        try Data("drain: 3s\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try SettingsFile.read(path)["drain"]?.value == .text("3s"))
    }

    @Test("the environment has a variable for each key; lists have commas, and what is empty is not told")
    func environment() throws {
        let settings = Settings.environment(
            [
                "CAIRN_LISTEN": "127.0.0.1:9", "CAIRN_STORAGE_PACK_SIZE": "2M",
                "CAIRN_NOTIFY_URLS": "http://a, http://b",
                "CAIRN_DATABASE_URL_FILE": "/f", "CAIRN_STORAGE_REGIONS_1_SECRET_KEY": "s",
                "CAIRN_STORAGE_REGIONS_2_SECRET_KEY": "beyond", "CAIRN_DATA": "", "CAIRN_HOME": "/elsewhere",
            ], regions: 2)
        #expect(
            settings.values.mapValues(\.origin) == [
                "listen": "CAIRN_LISTEN", "storage.pack_size": "CAIRN_STORAGE_PACK_SIZE",
                "notify.urls": "CAIRN_NOTIFY_URLS", "database.url_file": "CAIRN_DATABASE_URL_FILE",
                "storage.regions.1.secret_key": "CAIRN_STORAGE_REGIONS_1_SECRET_KEY",
            ])
        #expect(settings["notify.urls"]?.value == .list(["http://a", "http://b"]))
    }

    @Test("options are read in both forms; lists grow, and the last of single values counts")
    func options() {
        let settings = Settings.options([
            "run", "--data=/srv/cairn", "--region", "/a", "--region=/b", "--insecure-listen", "--no-scrub",
            "--pack-size", "1M", "--pack-size", "2M", "--role", "api,block", "--role", "notify", "--config", "x.yaml",
            "--", "--listen", "no",
        ])
        #expect(
            settings.values.mapValues(\.value) == [
                "data": .text("/srv/cairn"), "storage.directories": .list(["/a", "/b"]),
                "insecure_listen": .text("true"), "scrub.enabled": .text("false"), "storage.pack_size": .text("2M"),
                "roles": .list(["api", "block", "notify"]),
            ])
        #expect(settings["data"]?.origin == "--data")
    }

    @Test("what is said last stands above what was said before, a secret above the file with one")
    func override() throws {
        var settings = try parse("listen: a:1\ndrain: 1s\ndatabase:\n  url_file: /f\nqueue:\n  urls: [a, b]\n")
        settings.override(
            by: .environment(
                ["CAIRN_LISTEN": "b:2", "CAIRN_DATABASE_URL": "u", "CAIRN_QUEUE_URLS_FILE": "/q"], regions: 0))
        settings.override(by: .options(["--listen", "c:3"]))
        #expect(settings["listen"]?.value == .text("c:3"))
        #expect(settings["drain"]?.value == .text("1s"))
        #expect(settings["database.url"]?.value == .text("u") && settings["database.url_file"] == nil)
        #expect(settings["queue.urls"] == nil && settings["queue.urls_file"]?.value == .text("/q"))
        try settings.check()
    }

    @Test("every option of 'run' that has a value in the configuration is an option, and every key has one path")
    func complete() throws {
        let help = CairnServer.helpMessage(for: Run.self)
        for (name, option) in SettingKey.options {
            #expect(help.contains(name), "\(name)")
            #expect(SettingKey.find(option.path)?.path == option.path, "\(name)")
        }
        #expect(Set(SettingKey.all.map(\.path)).count == SettingKey.all.count)
        #expect(Set(SettingKey.all.map { SettingKey.variable(of: $0.path) }).count == SettingKey.all.count)
        let words = help.split { !$0.isLetter && $0 != "-" }.filter { $0.hasPrefix("--") }.map(String.init)
        let apart: Set = ["--version", "--help", "--config"]
        for word in Set(words).subtracting(apart) { #expect(SettingKey.options[word] != nil, "\(word)") }
    }
}
