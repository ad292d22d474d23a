import Metadata
import Testing

@testable import MetadataPostgreSQL

@Suite("Connection strings")
struct ConnectionStringTests {
    @Test("get what they lack: a server that takes writes, and ends to all waits")
    func defaults() throws {
        let options = try ConnectionString("host=a dbname=cairn").options
        #expect(options["target_session_attrs"] == "read-write")
        #expect(options["connect_timeout"] == "2")
        #expect(options["tcp_user_timeout"] == "5000")
        #expect(options["client_encoding"] == "UTF8")
        #expect(options["host"] == "a" && options["dbname"] == "cairn")
    }

    @Test("keep what they say themselves, but for the encoding of the client")
    func ownWords() throws {
        let string = try ConnectionString(
            "host=a connect_timeout=7 target_session_attrs=primary tcp_user_timeout=100 client_encoding=LATIN1")
        #expect(string.options["connect_timeout"] == "7" && string.options["tcp_user_timeout"] == "100")
        #expect(string.options["target_session_attrs"] == "primary")
        #expect(string.options["client_encoding"] == "UTF8")
    }

    @Test(
        "are described by their servers and the database, without what is secret",
        arguments: [
            ("host=a,b port=1,2 dbname=cairn password=hidden", "'cairn' at a:1, b:2"),
            ("host=a,b port=5 dbname=cairn", "'cairn' at a:5, b:5"),
            ("postgresql://me:hidden@a:7/cairn", "'cairn' at a:7"),
            ("user=me", "'me' at localhost:5432"),
        ])
    func described(_ text: String, _ description: String) throws {
        #expect(try ConnectionString(text).description == description)
    }

    @Test("that can't be read are refused, with what is wrong", arguments: ["host", "hosts=a", "host='a"])
    func unreadable(_ text: String) {
        let error = #expect(throws: MetadataError(.constraint, "")) { try ConnectionString(text) }
        #expect(error?.cause?.isEmpty == false && error?.isRetryable == false)
    }

    @Test(
        "that can't be read are not shown when a password may be in them",
        arguments: [
            "password=my secret host=a", "postgresql://me:secret@[a/",
        ])
    func secret(_ text: String) {
        let error = #expect(throws: MetadataError(.constraint, "")) { try ConnectionString(text) }
        #expect(error?.description.contains("secret") == false)
    }

    @Test("that ask for a server that only reads are refused", arguments: ["any", "standby", "read-only"])
    func readers(_ attributes: String) {
        let error = #expect(throws: MetadataError(.constraint, "")) {
            try ConnectionString("host=a target_session_attrs=\(attributes)")
        }
        #expect(error?.message.contains(attributes) == true)
    }
}
