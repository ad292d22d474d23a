import ArgumentParser
import Blocks
import Files
import Foundation
import HTTPAPI
import Logging
import MessagingRedis
import StorageS3
import TestSupport
import Testing

@testable import cairn_server

@Suite("What a server's configuration comes to")
struct ServerConfigurationTests {
    private func read(
        _ yaml: String = "", options: [String] = [], environment: [String: String] = [:], files: [String: String] = [:]
    ) throws -> ServerConfiguration {
        var settings = try SettingsFile.parse(yaml, file: "cairn.yaml")
        settings.override(by: .environment(environment, regions: settings.regionCount))
        settings.override(by: .options(options))
        return try ServerConfiguration(settings) { path in
            guard let text = files[path] else { throw CocoaError(.fileReadNoSuchFile) }
            return text
        }
    }

    /// A cluster with everything elsewhere.
    private static let remote = """
        keyring_file: /etc/cairn/keyring
        database: {kind: postgresql, url: "postgresql://cairn@db/cairn"}
        storage:
          kind: s3
          regions:
            - {name: a, endpoint: "https://a", bucket: b, access_key: k, secret_key: s}
            - {name: b, endpoint: "http://b:7480", bucket: b, region: eu, access_key: k, secret_key: s, path_style: true, ca: /ca}
        bus: {kind: redis, url: "redis://r"}
        queue: {kind: redis, urls: ["redis://q1", "redis://q2"]}
        """

    @Test("with nothing but a data directory a server is as it always was")
    func defaults() throws {
        let configuration = try read(options: ["--data", "/srv/cairn"])
        #expect(configuration.roles == Set(ServerRole.allCases))
        #expect(configuration.data == "/srv/cairn")
        #expect(configuration.listen == ListenAddress("127.0.0.1:8484"))
        #expect(configuration.database == .sqlite)
        #expect(configuration.storage == StorageChoice(place: .local(directories: []), packSize: 64 << 20))
        #expect(configuration.bus == .local)
        #expect(configuration.queue == .sql(first: nil, second: nil))
        #expect(configuration.cache == .none)
        #expect(configuration.tls == nil && configuration.polls == nil && configuration.archive == nil)
        #expect(configuration.pollServers.isEmpty)
        #expect(configuration.drain == .zero)
        #expect(configuration.lease == .seconds(30))
        #expect(configuration.scrubRate == 400 << 10)
        #expect(configuration.needsData && configuration.needsStore && configuration.needsQueue)
        #expect(configuration.logLevel == .info && configuration.logFormat == .text)
    }

    @Test("the defaults are those that the options show in their help")
    func sameDefaults() throws {
        let run = try #require(try CairnServer.parseAsRoot(["run", "--data", "/srv/cairn"]) as? Run)
        let configuration = try read(options: [
            "--data", "/srv/cairn", "--archive", "/cold", "--notify-listen", "127.0.0.1:0",
        ])
        #expect(configuration.collection.interval == run.collect.collectInterval.duration)
        #expect(configuration.collection.limits == run.collect.limits)
        #expect(configuration.collection.bytesPerSecond == run.collect.collectRate.bytes)
        #expect(configuration.storage.packSize == run.packSize.bytes)
        #expect(configuration.scrubRate == run.scrubRate.bytes)
        #expect(configuration.drain == run.drain.duration)
        #expect(configuration.polls?.capacity == run.notify.notifyCapacity)
        let archive = try #require(try CairnServer.parseAsRoot(["run", "--data", "/d", "--archive", "/cold"]) as? Run)
            .archive
        let choice = try #require(archive.choice)
        #expect(configuration.archive?.policy == choice.policy)
        #expect(configuration.archive?.round == choice.round)
        #expect(configuration.archive?.directory == "/cold")
        #expect(configuration.logLevel == run.logging.logLevel && configuration.logFormat == run.logging.logFormat)
    }

    @Test("all that options say can be said in a file")
    func file() throws {
        let configuration = try read(
            """
            roles: [all]
            data: /srv/cairn
            listen: 0.0.0.0:1
            tls: {certificate: c.pem, key: k.pem}
            drain: 10s
            lease: 5s
            storage: {directories: [/a, /b], pack_size: 16M}
            queue: {first_directory: /q1, second_directory: /q2}
            archive: {directory: /cold, thaw_delay: 4h, after: 30d, unused: 365d, keep: 2d, interval: 1h}
            notify: {listen: "127.0.0.1:2", capacity: 7, urls: ["https://n"]}
            collect: {interval: 0, safety_window: 1h, pack_window: 0, rate: 1M}
            scrub: {rate: 1M}
            log: {level: debug, format: json}
            """)
        #expect(configuration.tls == TLSFiles(certificate: "c.pem", key: "k.pem"))
        #expect(configuration.listen == ListenAddress("0.0.0.0:1"))
        #expect(configuration.drain == .seconds(10) && configuration.lease == .seconds(5))
        #expect(configuration.storage == StorageChoice(place: .local(directories: ["/a", "/b"]), packSize: 16 << 20))
        #expect(configuration.queue == .sql(first: "/q1", second: "/q2"))
        #expect(configuration.archive?.policy.pastAfter == .seconds(30 * 86_400))
        #expect(configuration.archive?.policy.currentAfter == .seconds(365 * 86_400))
        #expect(configuration.archive?.policy.keptAfterThaw == .seconds(2 * 86_400))
        #expect(configuration.archive?.round == .seconds(3600))
        #expect(configuration.polls?.capacity == 7 && configuration.pollServers == ["https://n"])
        #expect(configuration.collection.interval == .zero && configuration.collection.bytesPerSecond == 1 << 20)
        #expect(configuration.collection.limits.safetyWindow == .seconds(3600))
        #expect(configuration.collection.limits.packWindow == .zero)
        #expect(configuration.scrubRate == 1 << 20)
        #expect(configuration.logLevel == .debug && configuration.logFormat == .json)
        #expect(try read("data: /d\nscrub: {enabled: false, rate: 1M}\n").scrubRate == nil)
    }

    @Test("a server with everything elsewhere needs no data directory")
    func elsewhere() throws {
        let configuration = try read(Self.remote + "\nroles: [api, block]\ncache: {kind: memory, size: 64M}\n")
        #expect(configuration.roles == [.api, .block])
        #expect(configuration.data == nil && !configuration.needsData)
        #expect(configuration.keyRingFile == "/etc/cairn/keyring")
        #expect(configuration.database == .postgresql(url: "postgresql://cairn@db/cairn", standbys: [], pool: 16))
        let first = S3Region(
            name: "a", endpoint: "https://a", bucket: "b", region: "us-east-1", accessKey: "k", secretKey: "s",
            authorities: nil, isPathStyle: false)
        let second = S3Region(
            name: "b", endpoint: "http://b:7480", bucket: "b", region: "eu", accessKey: "k", secretKey: "s",
            authorities: "/ca", isPathStyle: true)
        #expect(configuration.storage.place == .s3([first, second]) && configuration.storage.isShared)
        #expect(configuration.storage.policy == .all && configuration.storage.policy.minimumCopies == nil)
        #expect(configuration.bus == .redis(try RedisEndpoint(url: "redis://r")))
        #expect(
            configuration.queue
                == .redis(first: try RedisEndpoint(url: "redis://q1"), second: try RedisEndpoint(url: "redis://q2")))
        #expect(configuration.cache == .memory(bytes: 64 << 20))
    }

    @Test("secrets may be in files of their own, or in the environment")
    func secrets() throws {
        let yaml = """
            data: /d
            database: {kind: postgresql, url_file: /s/db, standby_urls_file: /s/standbys, pool: 3}
            storage:
              kind: s3
              policy: one
              regions:
                - {name: a, endpoint: "https://a", bucket: b, access_key_file: /s/access, secret_key: of-the-file}
            queue: {kind: redis, urls_file: /s/queues}
            """
        let files = [
            "/s/db": "postgresql://db/cairn\n", "/s/standbys": "postgres://one/cairn\n\npostgres://two/cairn",
            "/s/access": " key \n", "/s/queues": "redis://a\nredis://b\n",
        ]
        let configuration = try read(
            yaml, environment: ["CAIRN_STORAGE_REGIONS_0_SECRET_KEY": "of-the-environment"], files: files)
        #expect(
            configuration.database
                == .postgresql(
                    url: "postgresql://db/cairn", standbys: ["postgres://one/cairn", "postgres://two/cairn"], pool: 3))
        guard case .s3(let regions) = configuration.storage.place else {
            Issue.record("no regions")
            return
        }
        #expect(regions.map(\.accessKey) == ["key"] && regions.map(\.secretKey) == ["of-the-environment"])
        #expect(configuration.storage.policy == .one && configuration.storage.policy.minimumCopies == 1)
        #expect(
            configuration.queue
                == .redis(first: try RedisEndpoint(url: "redis://a"), second: try RedisEndpoint(url: "redis://b")))
        for (path, text) in [("/s/db", nil), ("/s/db", " \n"), ("/s/queues", "redis://a")] as [(String, String?)] {
            var broken = files
            broken[path] = text
            let message = complaint { try read(yaml, files: broken) }
            #expect(message.contains("_file") || message.contains("queue.urls"), "\(message)")
        }
    }

    @Test("the example in deploy/ is a configuration")
    func example() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../deploy/cairn.yml")
        let configuration = try read(
            try String(contentsOf: root.standardized, encoding: .utf8), options: ["--role", "api"])
        let group = try RedisEndpoint(
            url: "redis+sentinel://:CHANGE-ME@10.84.84.81,10.84.84.82,10.84.84.83/cairn")
        #expect(configuration.bus == .redis(group) && configuration.cache == .redis(group))
        #expect(
            configuration.queue
                == .redis(first: group, second: try RedisEndpoint(url: "redis://:CHANGE-ME@10.84.84.84")))
        #expect(configuration.limits == .redis(group) && !configuration.needsData)
    }

    @Test("Sentinels are named in one URL, also where several URLs are one variable")
    func sentinels() throws {
        let urls = "redis+sentinel://:secret@a:26379,b:26379,c/cairn, redis://:secret@q"
        let (group, alone) = (
            try RedisEndpoint(url: "redis+sentinel://:secret@a,b,c/cairn"), try RedisEndpoint(url: "redis://:secret@q")
        )
        let inVariables = try read(
            environment: [
                "CAIRN_DATA": "/d", "CAIRN_QUEUE_KIND": "redis", "CAIRN_QUEUE_URLS": urls, "CAIRN_LIMITS_KIND": "redis",
                "CAIRN_LIMITS_URL": "redis+sentinel://:secret@a,b,c/cairn", "CAIRN_CACHE_KIND": "redis",
                "CAIRN_CACHE_URL": "redis://:secret@q",
            ])
        #expect(inVariables.queue == .redis(first: group, second: alone))
        #expect(inVariables.limits == .redis(group) && inVariables.cache == .redis(alone))
        let inFile = try read(
            """
            data: /d
            queue:
              kind: redis
              urls:
                - redis+sentinel://:secret@a,b,c/cairn
                - redis://:secret@q
            """)
        #expect(inFile.queue == .redis(first: group, second: alone))
        #expect(inFile.limits == .memory && inFile.bus == .local)
    }

    @Test(
        "what does not go together is named",
        arguments: [
            ("data: /d\nroles: [api, blok]", "cairn.yaml:2: roles: 'blok' is no role"),
            ("data: /d\nroles: []", "cairn.yaml:2: roles: names no role"),
            ("data: /d\nlisten: nowhere", "cairn.yaml:2: listen: 'nowhere' is no address"),
            ("data: /d\nlisten: 0.0.0.0:1", "cairn.yaml:2: listen: 0.0.0.0:1 can be reached from other machines"),
            ("data: /d\ntls: {key: k}", "cairn.yaml:2: tls.key: goes together with tls.certificate"),
            ("data: /d\ntls: {certificate: c}", "cairn.yaml:2: tls.certificate: goes together"),
            ("data: /d\nlease: 0", "cairn.yaml:2: lease: is a second or more"),
            (
                "data: /d\ndatabase: {kind: sqlite, url: 'postgresql://h'}",
                "database.url: does not go with database.kind, which is sqlite"
            ),
            ("data: /d\ndatabase: {kind: postgresql}", "database.url: is missing"),
            ("data: /d\ndatabase: {kind: postgresql, url: 'mysql://secret'}", "database.url: is a URL: postgresql://"),
            (
                "data: /d\narchive: {kind: s3, directory: /a}",
                "archive.directory: does not go with archive.kind, which is s3"
            ),
            ("data: /d\narchive: {bucket: b}", "archive.bucket: does not go with archive.kind, which is local"),
            ("data: /d\narchive: {kind: s3, bucket: b}", "archive.endpoint: is missing: the archive needs it"),
            ("data: /d\narchive: {kind: s3, restore_days: 0}", "archive.restore_days: is a number, 1 to 365"),
            ("data: /d\narchive: {kind: s3, restore_tier: fast}", "archive.restore_tier: is one of expedited"),
            ("data: /d\nstorage: {policy: two}", "storage.policy: is one of all, one"),
            ("data: /d\nstorage: {kind: s3}", "storage.regions: is missing"),
            ("data: /d\nstorage: {kind: s3, directories: [/a]}", "storage.directories: does not go with"),
            ("data: /d\nbus: {kind: redis}", "bus.url: is missing"),
            ("data: /d\nbus: {url: 'redis://h'}", "bus.url: does not go with bus.kind, which is local"),
            ("data: /d\nqueue: {kind: redis, urls: ['redis://a']}", "queue.urls: names two servers"),
            ("data: /d\nqueue: {kind: redis, urls: ['redis://a', 'redis://a']}", "queue.urls: names two servers"),
            ("data: /d\nqueue: {kind: redis, urls: ['redis://a', 'http://a']}", "queue.urls: is a URL: redis://"),
            (
                "data: /d\nbus: {kind: redis, url: 'redis://secret@h'}",
                "cairn.yaml:2: bus.url: has no password before the @"
            ),
            ("data: /d\nbus: {kind: redis, url: 'rediss://:secret@h'}", "bus.url: asks for TLS"),
            ("data: /d\ncache: {kind: redis, url: 'redis+sentinel://:secret@a,b'}", "cache.url: lacks the name of"),
            ("data: /d\nlimits: {kind: redis, url: 'redis://:secret@h/x'}", "limits.url: ends with what is no number"),
            ("data: /d\nlimits: {kind: redis}", "limits.url: is missing"),
            (
                "data: /d\nlimits: {url: 'redis://:secret@h'}",
                "limits.url: does not go with limits.kind, which is memory"
            ),
            (
                "data: /d\nqueue: {kind: redis, urls: ['redis://:secret@a', 'redis://a:6379/1']}",
                "cairn.yaml:2: queue.urls: names two servers, which fail apart"
            ),
            (
                "data: /d\nqueue: {first_directory: /a, second_directory: /a}",
                "queue.second_directory: is that of the first"
            ),
            ("data: /d\ncache: {size: 64M}", "cache.size: does not go with cache.kind, which is none"),
            ("data: /d\ncache: {kind: redis}", "cache.url: is missing"),
            ("data: /d\nroles: notify", "notify.listen: is missing"),
            ("data: /d\nroles: api\nnotify: {listen: '127.0.0.1:1'}", "notify.listen: is for the role notify"),
            (
                "data: /d\nnotify: {listen: '0.0.0.0:1'}\ninsecure_listen: true",
                "notify.listen: 0.0.0.0:1 says not where"
            ),
            ("data: /d\nnotify: {urls: [n1]}", "notify.urls: 'n1' is no base URL"),
            (
                "data: /d\nstorage: {kind: s3, regions: [{name: a, endpoint: 'https://a', bucket: b, access_key: k, secret_key: s}]}",
                "storage.kind: buckets go with PostgreSQL"
            ),
        ])
    func contradictions(yaml: String, message: String) {
        let found = complaint { try read(yaml) }
        #expect(found.contains(message), "\(found)")
        #expect(!found.contains("secret"))
    }

    @Test("regions are whole, and have names of their own")
    func regions() {
        for key in ["name", "endpoint", "bucket", "access_key", "secret_key"] {
            let whole = ["name: a", "endpoint: 'https://a'", "bucket: b", "access_key: k", "secret_key: s"]
            let part = whole.filter { !$0.hasPrefix(key) }.joined(separator: ", ")
            let found = complaint { try read("data: /d\nstorage: {kind: s3, regions: [{\(part)}]}") }
            #expect(found.contains("storage.regions.0.\(key): is missing"), "\(found)")
        }
        let twice = Self.remote.replacing("name: b", with: "name: a")
        #expect(complaint { try read(twice) }.contains("'a' is the name of two regions"))
        let ftp = Self.remote.replacing("https://a", with: "ftp://a")
        #expect(complaint { try read(ftp) }.contains("storage.regions.0.endpoint: is a URL"))
    }

    @Test("an archive may be a bucket, which several processes may open")
    func archiveBucket() throws {
        let yaml =
            Self.remote + """

                roles: [api]
                archive:
                  kind: s3
                  endpoint: https://cold
                  bucket: deep
                  access_key: k
                  secret_key_file: /s/cold
                  storage_class: DEEP_ARCHIVE
                  restore_tier: bulk
                  restore_days: 5
                  after: 30d
                """
        let choice = try #require(try read(yaml, files: ["/s/cold": "secret"]).archive)
        guard case .bucket(let region, let storageClass, let configuration) = choice.place else {
            Issue.record("it is no bucket")
            return
        }
        #expect(region.name == "archive" && region.bucket == "deep" && region.secretKey == "secret")
        #expect(storageClass == "DEEP_ARCHIVE" && choice.policy.pastAfter == .seconds(30 * 86_400))
        #expect(configuration == S3ArchiveConfiguration(tier: .bulk, days: 5) && choice.directory == nil)
        let short = yaml.replacing("restore_tier: bulk", with: "thaw_delay: 1h")
        guard case .bucket(_, _, let other)? = try read(short, files: ["/s/cold": "s"]).archive?.place else { return }
        #expect(other.tier == .standard && other.delay == .seconds(3600))
    }

    @Test("several processes need a bus, and one archive one process")
    func several() throws {
        let local = Self.remote.replacing("bus: {kind: redis, url: \"redis://r\"}", with: "roles: [api]")
        #expect(complaint { try read(local) }.contains("bus.kind: without a bus"))
        let archive = Self.remote + "\nroles: [maintenance]\narchive: {directory: /cold}\n"
        #expect(complaint { try read(archive) }.contains("archive.directory: belongs to one process"))
        _ = try read(archive.replacing("[maintenance]", with: "[api, block, maintenance]"))
    }

    @Test("the data directory is asked for when anything needs it, whatever the process does")
    func data() throws {
        #expect(complaint(.usage) { try read() }.hasPrefix("Name the data directory"))
        #expect(
            complaint(.usage) { try read(Self.remote.replacing("keyring_file: /etc/cairn/keyring", with: "")) }
                .contains("keyring"))
        let queue = Self.remote.replacing(
            "queue: {kind: redis, urls: [\"redis://q1\", \"redis://q2\"]}",
            with: "queue: {kind: sql, first_directory: /q}")
        #expect(complaint(.usage) { try read(queue) }.contains("local"))
        // Who only parks polls uses no queue.
        #expect(try read(queue + "\nroles: notify\n").data == nil)
        #expect(try read(environment: ["CAIRN_DATA": "/e"]).data == "/e")
        #expect(try read("data: /f", options: ["--data", "/o"], environment: ["CAIRN_DATA": "/e"]).data == "/o")
    }

    @Test("a wrong word on the command line is wrong usage, not a wrong configuration")
    func usage() {
        #expect(
            complaint(.usage) { try read(options: ["--data", "/d", "--role", "king"]) }.hasPrefix("--role: roles:"))
        #expect(
            complaint(.usage) { try read(options: ["--data", "/d", "--listen", "x"]) }.hasPrefix("--listen: listen:"))
        #expect(
            complaint { try read(environment: ["CAIRN_DATA": "/d", "CAIRN_LISTEN": "x"]) }.hasPrefix("CAIRN_LISTEN:"))
    }
}
