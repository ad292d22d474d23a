import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("Where the next poll goes")
struct PollRoutingTests {
    private static let servers = ["http://a", "http://b", "http://c"]

    /// A routing with its clock and its generator.
    private struct Client {
        var routing: PollRouting
        var generator: SeededGenerator
        var now = Duration.zero

        init(seed: UInt64 = 1, isSecure: Bool = false) {
            routing = PollRouting(isSecure: isSecure)
            generator = SeededGenerator(seed: seed)
        }

        /// The next step that is no pause; pauses are waited out.
        mutating func act() -> PollRouting.Step {
            while true {
                let step = routing.next(now: now, using: &generator)
                guard case .pause(let pause) = step else { return step }
                now += pause
            }
        }

        mutating func take(_ servers: [String], lifetime: UInt64 = 600) {
            routing.noteToken(
                PollTokenResponse(token: "t", expires: 1, lifetime: lifetime, servers: servers), now: now)
        }

        mutating func fail(at place: PollPlace?, retryAfter: Duration? = nil) {
            routing.noteFailure(at: place, retryAfter: retryAfter, now: now, using: &generator)
        }

        mutating func server() -> String? { act().place?.server }
    }

    @Test("first a token is asked for, then one of the servers that it names is polled, again and again")
    func beginning() {
        var client = Client()
        #expect(client.act() == .askForToken)
        client.take(Self.servers)
        let first = client.act()
        #expect(first.place?.token == "t")
        for _ in 0..<20 {
            client.routing.noteAnswer()
            client.now += .seconds(20)
            #expect(client.act() == first)
        }
    }

    @Test("devices choose different servers")
    func choice() {
        var counts: [String: Int] = [:]
        for seed in 0..<300 as Range<UInt64> {
            var client = Client(seed: seed)
            client.take(Self.servers)
            counts[client.server() ?? "none", default: 0] += 1
        }
        #expect(counts.keys.sorted() == Self.servers)
        #expect(counts.values.allSatisfy { $0 > 60 }, "\(counts)")
    }

    @Test("a token that names no server is for the server itself")
    func own() {
        var client = Client()
        client.take([])
        #expect(client.act() == .poll(PollPlace(server: nil, token: "t")))
        client.fail(at: PollPlace(server: nil, token: "t"))
        #expect(client.act() == .poll(.home))
    }

    @Test("a server that fails is left for another, after a pause; when all have failed it is the server's own route")
    func failover() {
        for seed in 0..<50 as Range<UInt64> {
            var client = Client(seed: seed)
            client.take(Self.servers)
            var tried: Set<String> = []
            for _ in Self.servers {
                let place = client.act().place
                let isNew = tried.insert(place?.server ?? "none").inserted
                #expect(isNew)
                let before = client.now
                client.fail(at: place)
                #expect(client.routing.next(now: before, using: &client.generator).place == nil)
            }
            #expect(tried == Set(Self.servers))
            #expect(client.act() == .poll(.home))
            client.routing.noteAnswer()
            #expect(client.act() == .poll(.home))
        }
    }

    @Test("with a new token all servers are tried again")
    func renewed() {
        var client = Client()
        client.take(["http://a"])
        client.fail(at: client.act().place)
        #expect(client.act() == .poll(.home))
        client.now += .seconds(600)
        #expect(client.act() == .askForToken)
        client.take(["http://a"])
        #expect(client.server() == "http://a")
    }

    @Test("when the server itself fails too, all are tried again")
    func allLost() {
        var client = Client()
        client.take(["http://a"])
        client.fail(at: client.act().place)
        #expect(client.act() == .poll(.home))
        client.fail(at: .home)
        #expect(client.server() == "http://a")
    }

    @Test("a token is renewed before it ends", arguments: [(600, 510), (181, 91), (100, 50), (1, 0), (0, 0)])
    func renewal(lifetime: UInt64, until seconds: Int64) {
        var client = Client()
        client.take(Self.servers, lifetime: lifetime)
        if seconds > 0 {
            client.now += .seconds(seconds) - .milliseconds(1)
            #expect(client.act().place?.token == "t")
        }
        client.now += .seconds(1)
        #expect(client.act() == .askForToken)
    }

    @Test("a token that claims to live for ever does no harm")
    func endless() {
        var client = Client()
        client.take(Self.servers, lifetime: .max)
        client.now += .seconds(1_000_000)
        #expect(client.act().place?.token == "t")
    }

    @Test("a server without poll tokens is polled with the device's own, and asked again after an hour")
    func older() {
        var client = Client()
        client.routing.noteToken(nil, now: client.now)
        client.now += .seconds(3599)
        #expect(client.act() == .poll(.home))
        client.fail(at: .home)
        #expect(client.act() == .poll(.home) || client.now > .seconds(3600))
        client.now += .seconds(2)
        #expect(client.act() == .askForToken)
        client.take(Self.servers)
        #expect(client.act().place?.token == "t")
    }

    @Test("who could not ask for a token waits with full jitter and asks again")
    func noToken() {
        var client = Client()
        var pauses: [Duration] = []
        for _ in 0..<12 {
            #expect(client.act() == .askForToken)
            let before = client.now
            client.fail(at: nil)
            _ = client.act()
            pauses.append(client.now - before)
        }
        #expect(pauses.allSatisfy { $0 <= .seconds(60) })
        #expect(pauses[0] <= .seconds(1))
        #expect(pauses.suffix(6).contains { $0 > .seconds(8) })
    }

    @Test("a server that asks to be left alone is, and the jitter comes after")
    func retryAfter() {
        for seed in 0..<50 as Range<UInt64> {
            var client = Client(seed: seed)
            client.take(Self.servers)
            client.fail(at: client.act().place, retryAfter: .seconds(20))
            _ = client.act()
            #expect(client.now >= .seconds(20) && client.now <= .seconds(21))
            client.fail(at: .home, retryAfter: .seconds(1_000_000))
            let before = client.now
            _ = client.act()
            #expect(client.now - before <= .seconds(602))
        }
    }

    @Test("who is sent away without news goes elsewhere, and not at once")
    func dismissed() {
        for seed in 0..<50 as Range<UInt64> {
            var client = Client(seed: seed)
            client.take(["http://a", "http://b"])
            let first = client.act()
            client.routing.noteDismissal(from: first.place ?? .home, now: client.now, using: &client.generator)
            let second = client.act()
            #expect(second.place?.token == "t")
            #expect(second != first)
            #expect(client.now > .zero && client.now <= .seconds(1))
        }
    }

    @Test("who is sent away from the only place there is comes back to it, more slowly each time")
    func dismissedAlone() {
        var client = Client()
        client.take([])
        let place = PollPlace(server: nil, token: "t")
        for round in 0..<8 {
            let before = client.now
            client.routing.noteDismissal(from: place, now: before, using: &client.generator)
            #expect(client.act() == .poll(place))
            #expect(client.now - before <= .seconds(1 << round))
        }
    }

    @Test("a token does not go in the clear when the server itself is spoken to by TLS")
    func downgrade() {
        var client = Client(isSecure: true)
        client.take(["http://a", "HTTPS://b", "ftp://c"])
        #expect(client.server() == "HTTPS://b")
        client.take(["http://a"])
        #expect(client.act() == .poll(.home))
    }

    @Test("of a flood of servers some are looked at")
    func flood() {
        var client = Client()
        client.take((0..<10_000).map { "http://\($0)" })
        var tried: Set<String> = []
        while let server = client.server() {
            tried.insert(server)
            client.fail(at: PollPlace(server: server, token: "t"))
            if tried.count > PollRouting.maximumServers { break }
        }
        #expect(tried.count <= PollRouting.maximumServers)
    }

    @Test("whatever happens, the next step comes within bounds", arguments: 0..<200 as Range<UInt64>)
    func histories(seed: UInt64) {
        var client = Client(seed: seed)
        var draws = SeededGenerator(seed: seed &* 77)
        for _ in 0..<200 {
            let before = client.now
            let step = client.act()
            #expect(client.now - before <= .seconds(660))
            let place = step.place
            switch (step, Int.random(in: 0..<4, using: &draws)) {
            case (.askForToken, 0): client.routing.noteToken(nil, now: client.now)
            case (.askForToken, 1...2): client.take(Array(Self.servers.prefix(Int.random(in: 0...3, using: &draws))))
            case (.askForToken, _): client.fail(at: nil)
            case (_, 0):
                client.routing.noteAnswer()
                client.now += .seconds(55)
            case (_, 1): client.routing.noteDismissal(from: place ?? .home, now: client.now, using: &client.generator)
            default: client.fail(at: place, retryAfter: Bool.random(using: &draws) ? .seconds(30) : nil)
            }
            // The device's own token never leaves for another server.
            #expect(place?.server == nil || place?.token != nil)
        }
    }
}
