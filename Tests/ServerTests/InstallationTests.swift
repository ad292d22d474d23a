import ArgumentParser
import Blocks
import Files
import Foundation
import Metadata
import Model
import StorageS3
import TestSupport
import Testing

@testable import cairn_server

@Suite("Where commands find things")
struct InstallationTests {
    private let directory = TemporaryDirectory()

    private func option(_ words: String...) throws -> DataOption { try DataOption.parse(words) }

    private func written(_ text: String) throws -> String {
        let path = directory.appending("cairn.yml")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private static let buckets = """
        storage:
          kind: s3
          regions:
            - {name: eu, endpoint: "http://eu:7480", bucket: packs, access_key: k, secret_key: s, path_style: true}
            - {name: us, endpoint: "http://us:7480", bucket: packs, access_key: k, secret_key: s, path_style: true}
        bus: {kind: redis, url: "redis://r"}
        queue: {kind: redis, urls: ["redis://a", "redis://b"]}
        """

    @Test("a data directory has everything")
    func folder() throws {
        let data = directory.appending("data")
        let installation = try option("--data", data).installation(create: true)
        #expect(installation.folder?.path == data)
        #expect(installation.keyRing == installation.folder?.keyRing)
        #expect(installation.databaseServer == nil && installation.buckets.isEmpty && !installation.isBackup)
        #expect(try Installation(at: data).folder?.path == data)
    }

    @Test("with a configuration no data directory is needed: it names the database, the keys and the buckets")
    func configured() throws {
        let config = try written(
            "keyring_file: /etc/cairn/keyring\ndatabase: {url: 'postgresql://u:p@one:5432,two:5433/cairn'}\n"
                + Self.buckets)
        let installation = try option("--config", config).installation()
        #expect(installation.folder == nil)
        #expect(installation.keyRing == "/etc/cairn/keyring")
        #expect(installation.databaseServer == "postgresql://u:p@one:5432,two:5433/cairn")
        #expect(installation.buckets.map(\.name) == ["eu", "us"])
        #expect(installation.databaseName == "the database")
    }

    @Test("options stand above the configuration")
    func precedence() throws {
        let config = try written("data: \(directory.appending("one"))\ndatabase: {url: 'postgresql://one/cairn'}\n")
        let installation = try option(
            "--config", config, "--data", directory.appending("two"), "--database", "postgresql://two/cairn"
        ).installation(create: true)
        #expect(installation.folder?.path == directory.appending("two"))
        #expect(installation.databaseServer == "postgresql://two/cairn")
    }

    @Test("keys that a file has are never made, those of a data directory are made once")
    func keys() async throws {
        let own = try option("--data", directory.appending("data")).installation(create: true)
        let database = try await own.metadata.open()
        let made = try await own.openKeyRing(database).keyRing()
        #expect(try await own.openKeyRing(database).keyRing().versions == made.versions)
        let named = Installation(folder: own.folder, databaseServer: nil, keyRing: directory.appending("none"))
        await #expect(throws: Failure.self) { _ = try await named.openKeyRing(database) }
        #expect(!FileManager.default.fileExists(atPath: directory.appending("none")))
        try await database.close()
    }

    @Test("a configuration that can't be used is told by its key")
    func refused() throws {
        let config = try written("databse: {url: x}\n")
        do {
            _ = try option("--config", config).installation()
            Issue.record("a wrong key was taken")
        } catch let failure as Failure {
            #expect(failure.message.contains("databse"))
        }
        #expect(throws: (any Error).self) { try option("--config", directory.appending("none.yml")).installation() }
    }
}
