import Foundation
import Model
import TestSupport
import Testing

@testable import SyncClient

@Suite("The client's own folder")
struct AccountTests {
    private let credentials = Credentials(
        server: "https://cloud.example.org", certificateAuthority: nil, account: "ada", device: "laptop",
        deviceID: String(repeating: "0", count: 32), namespaceID: String(repeating: "a", count: 32), token: "secret")

    @Test("--home wins over CAIRN_HOME, which wins over the XDG folders, which win over HOME")
    func homes() throws {
        let environment = ["CAIRN_HOME": "/c", "XDG_CONFIG_HOME": "/x", "XDG_STATE_HOME": "/y", "HOME": "/h"]
        #expect(try ClientHome(folder: "/given", environment: environment) == ClientHome(folder: "/given"))
        #expect(try ClientHome(folder: nil, environment: environment) == ClientHome(folder: "/c"))
        let xdg = try ClientHome(folder: nil, environment: environment.filter { $0.key != "CAIRN_HOME" })
        #expect(xdg.configuration == "/x/cairn" && xdg.state == "/y/cairn")
        let plain = try ClientHome(folder: nil, environment: ["HOME": "/h", "CAIRN_HOME": ""])
        #expect(plain.credentials == "/h/.config/cairn/credentials.json")
        #expect(plain.database == "/h/.local/state/cairn/state.sqlite")
        #expect(throws: ClientError.self) { try ClientHome(folder: nil, environment: [:]) }
    }

    @Test("credentials come back as they were saved, for the user's eyes only")
    func roundTrip() throws {
        let folder = TemporaryDirectory()
        let home = ClientHome(folder: folder.appending("deep/home"))
        let store = CredentialStore(home)
        #expect(try store.load() == nil)
        try store.save(credentials)
        #expect(try store.require() == credentials)
        var changed = credentials
        changed.token = "another"
        try store.save(changed)
        #expect(try store.load() == changed)
        var status = stat()
        #expect(stat(home.credentials, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(home.state, &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.state) == ["credentials.json"])
        try store.remove()
        try store.remove()
        #expect(throws: ClientError.self) { try store.require() }
    }

    @Test("a damaged file asks for a login, it does not crash", arguments: ["", "{", "{\"server\":1}"])
    func damaged(text: String) throws {
        let folder = TemporaryDirectory()
        let home = ClientHome(folder: folder.path)
        try Data(text.utf8).write(to: URL(fileURLWithPath: home.credentials))
        do {
            _ = try CredentialStore(home).load()
            Issue.record("it was read")
        } catch let error as ClientError {
            #expect(error.code == .notLoggedIn)
        }
    }

    @Test("ids in the credentials that are none are noticed")
    func namespace() throws {
        #expect(try credentials.namespace.hex == credentials.namespaceID)
        var broken = credentials
        broken.namespaceID = "no"
        #expect(throws: ClientError.self) { try broken.namespace }
    }
}
