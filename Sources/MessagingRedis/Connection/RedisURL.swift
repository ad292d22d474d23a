/// What is wrong with the URL of a Redis. The URL is not repeated: it may hold a password.
public enum RedisURLProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// It begins with no scheme that is known.
    case scheme
    /// It asks for an encrypted connection.
    case encrypted
    /// It has a query or a fragment, or what looks like one.
    case query
    /// What stands before the `@` is no name and password.
    case login
    /// A host or a port is missing or wrong.
    case address
    /// It names several servers, and no Sentinels.
    case severalServers
    /// It names Sentinels, and no master.
    case master
    /// What stands behind the addresses is no number of a database.
    case database

    /// What is wrong, for people.
    public var description: String {
        switch self {
        case .scheme:
            "is a URL: redis://[:PASSWORD@]HOST[:PORT][/DB] or redis+sentinel://[:PASSWORD@]HOST:PORT,HOST:PORT/MASTER[/DB]"
        case .encrypted: "asks for TLS, which is not spoken to Redis: use redis:// within a private network"
        case .query: "has a ? or a #, which it can't have: in a password write %3F and %23"
        case .login: "has no password before the @: it is :PASSWORD@, where / is %2F, @ is %40 and % is %25"
        case .address: "names no server: after the password come HOST or HOST:PORT; a / in a password is %2F"
        case .severalServers: "names several servers: Sentinels are redis+sentinel://HOST:PORT,HOST:PORT/MASTER"
        case .master: "lacks the name of the master: redis+sentinel://HOST:PORT,HOST:PORT/MASTER"
        case .database: "ends with what is no number of a database, such as /1; a / in a password is %2F"
        }
    }
}

extension RedisEndpoint {
    /// Reads `redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`, or
    /// `redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/MASTER[/DB]`. A host with colons stands in brackets. The
    /// ports are 6379 and 26379 where none is named. User, password and master may have any character as `%XX`.
    /// - Throws: ``RedisURLProblem``.
    public init(url: String) throws(RedisURLProblem) {
        guard let colon = url.firstRange(of: "://") else { throw .scheme }
        let isWatched: Bool
        switch url[..<colon.lowerBound].lowercased() {
        case "redis": isWatched = false
        case "redis+sentinel": isWatched = true
        case "rediss", "rediss+sentinel", "redis+sentinels": throw .encrypted
        default: throw .scheme
        }
        let rest = url[colon.upperBound...]
        if rest.contains(where: { $0 == "?" || $0 == "#" }) { throw .query }
        var parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        let authority = parts.removeFirst()
        let login = authority.lastIndex(of: "@")
        let places = login.map { authority[authority.index(after: $0)...] } ?? authority
        let addresses = try Self.addresses(places, port: isWatched ? 26379 : 6379)
        guard isWatched || addresses.count == 1 else { throw .severalServers }
        var location = Location.server(addresses[0])
        if isWatched {
            guard let master = parts.first.flatMap(Self.decoded), !master.isEmpty else { throw .master }
            parts.removeFirst()
            location = .sentinels(addresses, master: master)
        }
        self.init(location, database: try Self.database(parts))
        if let login { (user, password) = try Self.login(authority[..<login]) }
    }

    private static func addresses(
        _ text: Substring, port: Int
    ) throws(RedisURLProblem) -> [RedisAddress] {
        var addresses: [RedisAddress] = []
        for place in text.split(separator: ",", omittingEmptySubsequences: false) {
            let isWhole = place.hasPrefix("[") ? !place.hasSuffix("]") : place.contains(":")
            guard let address = RedisAddress(isWhole ? String(place) : "\(place):\(port)") else { throw .address }
            addresses.append(address)
        }
        return addresses
    }

    /// An empty last part is a slash at the end, which means nothing.
    private static func database(_ parts: [Substring]) throws(RedisURLProblem) -> Int {
        guard let text = parts.first, parts != [""] else { return 0 }
        guard parts.count == 1, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(text)
        else { throw .database }
        return Int(number)
    }

    private static func login(_ text: Substring) throws(RedisURLProblem) -> (user: String?, password: String?) {
        guard let colon = text.firstIndex(of: ":"), let user = decoded(text[..<colon]),
            let password = decoded(text[text.index(after: colon)...]), !password.isEmpty
        else { throw .login }
        return (user.isEmpty ? nil : user, password)
    }

    /// The text with each `%XX` as the byte that it stands for; nil when one is none, or all is no text.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }),
                let low = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue })
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
