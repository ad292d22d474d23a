import ArgumentParser
import Files
import Foundation
import Logging
import TestSupport
import Testing

@testable import cairn_server

@Suite("Options of the server")
struct OptionTests {
    @Test(
        "addresses to listen on",
        arguments: [
            ("127.0.0.1:8484", "127.0.0.1", 8484, true), ("127.9.9.9:1", "127.9.9.9", 1, true),
            ("localhost:0", "localhost", 0, true), ("[::1]:8484", "::1", 8484, true),
            ("0.0.0.0:8484", "0.0.0.0", 8484, false), ("[::]:80", "::", 80, false),
            ("nas.lan:65535", "nas.lan", 65_535, false),
            ("128.0.0.1:1", "128.0.0.1", 1, false), ("127.0.0.1.evil:1", "127.0.0.1.evil", 1, false),
            ("127.0.0:1", "127.0.0", 1, false),
        ])
    func addresses(text: String, host: String, port: Int, isLoopback: Bool) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isLoopback == isLoopback)
    }

    @Test("what is no address", arguments: ["", ":80", "host", "host:", "host:x", "host:65536", "host:-1", "::1:80"])
    func noAddress(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test("an address of version 6 has brackets in a URL")
    func url() throws {
        #expect(try #require(ListenAddress("[::1]:0")).url(scheme: "http", port: 90) == "http://[::1]:90")
        #expect(try #require(ListenAddress("localhost:0")).url(scheme: "https", port: 90) == "https://localhost:90")
    }

    @Test(
        "numbers of bytes",
        arguments: [("1", 1), ("64K", 65_536), ("64k", 65_536), ("64M", 67_108_864), ("2G", 2_147_483_648)])
    func bytes(text: String, count: Int) {
        #expect(ByteCount(argument: text)?.bytes == count)
    }

    @Test(
        "what is no number of bytes",
        arguments: ["", "M", "0", "-1", "1T", "1.5M", "99999999999G", "64 M", "+1", "+5M", "+", "-5M"])
    func noBytes(text: String) {
        #expect(ByteCount(argument: text) == nil)
    }

    @Test(
        "quotas",
        arguments: [
            ("1", 1), ("500M", 524_288_000), ("2g", 2_147_483_648), ("1T", 1_099_511_627_776),
            ("8192t", 9_007_199_254_740_992),
        ])
    func quotas(text: String, count: UInt64) {
        #expect(QuotaSize(argument: text)?.bytes == count)
    }

    @Test("no quota at all, and what is none")
    func noQuota() {
        #expect(QuotaSize(argument: "none") != nil)
        #expect(QuotaSize(argument: "None")?.bytes == nil)
        for text in ["", "T", "0", "0T", "-1G", "1.5T", "1TB", "no", "99999999T", "1 T", "1GT"] {
            #expect(QuotaSize(argument: text) == nil, "\(text)")
        }
    }

    @Test("policies by name and by file; what is neither is named")
    func policies() throws {
        let folder = TemporaryDirectory()
        let path = folder.appending("policy.json")
        try Data(" {\"max_versions\":7}\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try PolicyArgument.text("keep-all") == "keep-all")
        #expect(try PolicyArgument.text(path) == "{\"max_versions\":7}")
        try Data("{\"max\":7}".utf8).write(to: URL(fileURLWithPath: path))
        for argument in [path, folder.appending("none"), "keepall"] {
            do {
                _ = try PolicyArgument.text(argument)
                Issue.record("\(argument) was taken for a policy")
            } catch let failure as Failure {
                #expect(failure.code == .usage)
                #expect(failure.message.contains(argument))
            }
        }
        #expect(throws: Failure.self) { try PolicyArgument.path("/a/../b") }
    }

    @Test(
        "how a duration is written as a default",
        arguments: [(0, "0"), (1, "1h"), (48, "48h"), (72, "3d"), (73, "73h"), (2160, "90d")])
    func defaults(hours: Int, text: String) {
        #expect(TimeSpan(hours: hours).defaultValueDescription == text)
    }

    @Test(
        "command lines that are refused before anything is opened",
        arguments: [
            ["run", "--data", "/tmp/x", "--tls-certificate", "c.pem"],
            ["run", "--data", "/tmp/x", "--tls-key", "k.pem"],
            ["retention", "set", "ada", "--data", "/tmp/x"],
            ["retention", "set", "ada", "/a", "b", "c", "--data", "/tmp/x"],
            ["retention", "set", "ada", "/a", "b", "--unset", "--data", "/tmp/x"], ["account", "quota", "ada", "lots"],
            ["run", "--data", "/tmp/x", "--pack-size", "1K"], ["run", "--data", "/tmp/x", "--pack-size", "3G"],
            ["run", "--data", "/tmp/x", "--log-format", "xml"], ["run", "--data", "/tmp/x", "--log-level", "loud"],
            ["run", "--data", "/tmp/x", "--archive", ""], ["run", "--data", "/tmp/x", "--archive-after", "soon"],
            ["archive", "run", "--data", "/tmp/x"], ["run", "--data", "/tmp/x", "--notify-listen", "8485"],
            ["run", "--data", "/tmp/x", "--notify-listen", "0.0.0.0:8485"],
            ["run", "--data", "/tmp/x", "--notify-url", "n1.example.org"],
            ["run", "--data", "/tmp/x", "--notify-url", "http://"],
            ["run", "--data", "/tmp/x", "--notify-url", "https://n1/?x"],
            ["run", "--data", "/tmp/x", "--notify-capacity", "0"],
            ["notify", "--data", "/tmp/x", "--listen", "8485"], ["notify", "--data", "/tmp/x", "--capacity", "0"],
            ["notify", "--data", "/tmp/x", "--capacity", "3000000"],
            ["account", "add"], ["device", "revoke"], ["key", "turn"],
            ["run", "--data", "/tmp/x", "--collect-interval", "often"],
            ["run", "--data", "/tmp/x", "--safety-window", "7"], ["run", "--data", "/tmp/x", "--collect-rate", "1K"],
            ["collect", "--data", "/tmp/x", "--pack-size", "1K"],
        ])
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try CairnServer.parseAsRoot(arguments) }
    }

    @Test("a full command line is understood")
    func understood() throws {
        let command = try CairnServer.parseAsRoot([
            "run", "--data", "/srv/cairn", "--listen", "0.0.0.0:1", "--region", "/a", "--region", "/b",
            "--insecure-listen",
            "--notify-listen", "0.0.0.0:8485", "--notify-capacity", "500000", "--notify-url", "http://n1",
            "--notify-url", "https://n2:8/p", "--log-level", "debug", "--log-format", "json", "--pack-size", "16M",
        ])
        let run = try #require(command as? Run)
        #expect(run.regions == ["/a", "/b"])
        #expect(run.insecureListen)
        #expect(run.packSize.bytes == 16 << 20)
        #expect(run.logging.logLevel == .debug)
        #expect(run.logging.logFormat == .json)
        #expect(run.notify.urls == ["http://n1", "https://n2:8/p"])
        #expect(try run.notify.address(isInsecure: true)?.capacity == 500_000)
    }

    @Test(
        "durations",
        arguments: [
            ("0", 0), ("0s", 0), ("10s", 10), ("30m", 1800), ("6h", 21_600), ("2d", 172_800), ("3650d", 315_360_000),
        ]
    )
    func durations(text: String, seconds: Int64) {
        #expect(TimeSpan(argument: text)?.duration == .seconds(seconds))
    }

    @Test(
        "what is no duration", arguments: ["", "h", "6", "-1h", "1.5h", "6 h", "6w", "3651d", "9999999999999999999h"])
    func noDuration(text: String) {
        #expect(TimeSpan(argument: text) == nil)
    }

    @Test("how a server collects is chosen, or as it says by itself")
    func collection() throws {
        let run = try #require(try CairnServer.parseAsRoot(["run", "--data", "/srv/cairn"]) as? Run)
        #expect(run.collect.collectInterval.duration == .seconds(6 * 3600))
        #expect(run.collect.limits == CollectionLimits())
        #expect(run.collect.limits.safetyWindow == .seconds(2 * 86_400))
        let quick = try #require(
            try CairnServer.parseAsRoot([
                "run", "--data", "/srv/cairn", "--collect-interval", "1s", "--safety-window", "2s", "--pack-window",
                "0", "--collect-rate", "1M",
            ]) as? Run)
        #expect(quick.collect.collectInterval.duration == .seconds(1))
        #expect(quick.collect.limits.safetyWindow == .seconds(2))
        #expect(quick.collect.limits.packWindow == .zero)
        #expect(quick.collect.collectRate.bytes == 1 << 20)
    }

    @Test("where polls are parked apart from the API is named as devices reach it, and kept on this machine")
    func polls() throws {
        let address = try PollAddress("localhost:0", capacity: 7, isInsecure: false)
        #expect(address.url(port: 9) == "http://localhost:9")
        #expect(address.capacity == 7)
        #expect(throws: Failure.self) { try PollAddress("192.0.2.1:8485", capacity: 7, isInsecure: false) }
        let open = try PollAddress("[::]:8485", capacity: 7, isInsecure: true)
        #expect(open.url(port: 8485) == "http://[::]:8485")
        let run = try #require(try CairnServer.parseAsRoot(["run", "--data", "/srv/cairn"]) as? Run)
        #expect(try run.notify.address(isInsecure: false) == nil)
        #expect(run.notify.urls == [])
        let notify = try #require(try CairnServer.parseAsRoot(["notify", "--data", "/srv/cairn"]) as? Notify)
        #expect(notify.listen == "127.0.0.1:8485")
        #expect(notify.capacity == 100_000)
    }

    @Test("every command explains itself")
    func help() {
        let help = CairnServer.helpMessage()
        for word in ["account", "collect", "device", "key", "run", "keyring", "78"] {
            #expect(help.contains(word), "\(word)")
        }
        #expect(CairnServer.helpMessage(for: Run.self).contains("--insecure-listen"))
        #expect(CairnServer.helpMessage(for: Run.self).contains("--notify-url"))
        #expect(CairnServer.helpMessage(for: Notify.self).contains("bus.sock"))
        #expect(CairnServer.helpMessage(for: Key.Rotate.self).contains("Keep a copy"))
    }
}
