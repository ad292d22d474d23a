import CPQ
import Metadata

/// A connection string of libpq, checked, with what this program adds to it.
struct ConnectionString: Sendable {
    /// The servers and the database, for messages. Nothing secret is in it.
    let description: String
    /// What libpq is given: the string's own words, and ours where it has none.
    let options: [String: String]

    /// What is added where the string says nothing: only a server that takes writes will do, and a dead one is noticed
    /// within seconds, while it is connected to and later.
    private static let defaults = [
        "target_session_attrs": "read-write",
        "connect_timeout": "2",
        "tcp_user_timeout": "5000",
        "keepalives_idle": "5",
        "keepalives_interval": "2",
        "keepalives_count": "2",
        "fallback_application_name": "cairn",
    ]

    /// Reads a string: `host=a,b port=1,2 dbname=cairn`, or `postgresql://a:1,b:2/cairn`.
    /// - Throws: ``MetadataError`` `constraint` when it can't be read, or asks for a server that only reads.
    init(_ text: String) throws {
        let given = try Self.parsed(text)
        if let attributes = given["target_session_attrs"], !["read-write", "primary"].contains(attributes) {
            throw MetadataError(
                .constraint,
                "the connection string asks for target_session_attrs=\(attributes), but only read-write or primary "
                    + "will do: this program writes")
        }
        options = Self.defaults.merging(given) { _, own in own }.merging(["client_encoding": "UTF8"]) { _, own in own }
        description = Self.description(of: given)
    }

    private static func parsed(_ text: String) throws -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let list = PQconninfoParse(text, &message) else {
            let said = message.map { String(cString: $0).trimmed }
            PQfreemem(message)
            // What libpq could not make out may be a piece of the password.
            let isSecret = text.contains("password") || text.contains("@")
            throw MetadataError(
                .constraint, "the connection string of PostgreSQL can't be read",
                cause: isSecret ? "it is not shown, as it may hold a password" : said)
        }
        defer { PQconninfoFree(list) }
        var given: [String: String] = [:]
        var option = list
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { given[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return given
    }

    private static func description(of given: [String: String]) -> String {
        func list(_ keyword: String) -> [Substring]? {
            given[keyword]?.split(separator: ",", omittingEmptySubsequences: false)
        }
        let hosts = list("host") ?? list("hostaddr") ?? ["localhost"]
        let ports = list("port") ?? ["5432"]
        let servers = hosts.indices.map { "\(hosts[$0]):\(ports[min($0, ports.count - 1)])" }
        return "'\(given["dbname"] ?? given["user"] ?? "")' at \(servers.joined(separator: ", "))"
    }
}

extension String {
    /// Without the ends of lines and spaces around it, as libpq puts them around its messages.
    var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }
}
