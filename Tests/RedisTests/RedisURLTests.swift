import MessagingRedis
import Testing

@Suite struct RedisURLTests {
    private static func server(_ host: String, _ port: Int) -> RedisEndpoint.Location {
        .server(RedisAddress(host: host, port: port))
    }

    @Test func `a server is named by a URL`() throws {
        let plain = try RedisEndpoint(url: "redis://redis.internal")
        #expect(plain.location == Self.server("redis.internal", 6379))
        #expect(plain.database == 0 && plain.password == nil && plain.user == nil)
        let whole = try RedisEndpoint(url: "redis://ada:secret@[::1]:7000/3")
        #expect(whole.location == Self.server("::1", 7000))
        #expect(whole.database == 3 && whole.user == "ada" && whole.password == "secret")
        #expect(try RedisEndpoint(url: "REDIS://10.0.0.1/").location == Self.server("10.0.0.1", 6379))
        #expect(try RedisEndpoint(url: "redis://[fe80::1]").location == Self.server("fe80::1", 6379))
        #expect(try RedisEndpoint(url: "redis://:p@h").sentinelPassword == nil)
    }

    @Test func `Sentinels are named by a URL, with the master behind them`() throws {
        let watched = try RedisEndpoint(url: "redis+sentinel://:secret@a:26379,b,[::1]:26380/cairn/1")
        let sentinels = [
            RedisAddress(host: "a", port: 26379), RedisAddress(host: "b", port: 26379),
            RedisAddress(host: "::1", port: 26380),
        ]
        #expect(watched.location == .sentinels(sentinels, master: "cairn"))
        #expect(watched.database == 1 && watched.user == nil && watched.password == "secret")
        let plain = try RedisEndpoint(url: "redis+sentinel://a/my%20master")
        #expect(plain.location == .sentinels([RedisAddress(host: "a", port: 26379)], master: "my master"))
        #expect(plain.database == 0 && plain.password == nil)
    }

    @Test(
        arguments: [
            ("p%40ss", "p@ss"), ("p@ss", "p@ss"), ("a:b", "a:b"), ("%2F%25%3f", "/%?"), ("p+q=", "p+q="),
            ("%C3%A9", "é"), ("é", "é"),
        ])
    func `a password may have any character`(_ written: String, _ password: String) throws {
        #expect(try RedisEndpoint(url: "redis://:\(written)@h").password == password)
        #expect(try RedisEndpoint(url: "redis+sentinel://:\(written)@h:1/m").password == password)
    }

    private static let wrong: [(RedisURLProblem, [String])] = [
        (.scheme, ["", "h", "h:6379", "http://h", "://h", "postgresql://h", "redis:/h", "sentinel://h/m", "m@h:1"]),
        (.encrypted, ["rediss://h", "rediss+sentinel://h/m"]),
        (.query, ["redis://h?db=1", "redis://:a?b@h", "redis://:a#b@h", "redis+sentinel://h/m?x"]),
        (
            .login,
            ["redis://secret@h", "redis://:@h", "redis://@h", "redis://:%4@h", "redis://:%zz@h", "redis://:%FF@h"]
        ),
        (
            .address,
            [
                "redis://", "redis:///1", "redis://h:", "redis://h:0", "redis://h:65536", "redis://h:x", "redis://::1",
                "redis://ho st", "redis://[::1", "redis+sentinel:///m", "redis+sentinel://a,/m",
                "redis+sentinel://,a/m",
                "redis://:a/b@h",
            ]
        ),
        (.severalServers, ["redis://a,b", "redis://a:1,b:2/1"]),
        (.master, ["redis+sentinel://a", "redis+sentinel://a/", "redis+sentinel://a//1", "redis+sentinel://a/%zz"]),
        (
            .database,
            [
                "redis://h/-1", "redis://h/x", "redis://h/1/2", "redis://h/+1", "redis://h/65536", "redis://h//",
                "redis+sentinel://h/m/x", "redis+sentinel://h/m/1/2", "redis://user/b@h",
            ]
        ),
    ]

    @Test(arguments: wrong.flatMap { problem, urls in urls.map { (problem, $0) } })
    func `what is no URL of Redis is refused, and never repeated`(_ problem: RedisURLProblem, _ url: String) {
        let error = #expect(throws: RedisURLProblem.self) { try RedisEndpoint(url: url) }
        #expect(error == problem)
        #expect(error?.description.contains("secret") != true)
    }

    @Test func `every problem says what to do`() {
        for problem in Self.wrong.map(\.0) { #expect(problem.description.count > 20) }
        #expect(Set(Self.wrong.map(\.0.description)).count == Self.wrong.count)
    }
}
