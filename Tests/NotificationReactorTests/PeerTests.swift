import Model
import NotificationReactor
import Notifications
import Testing

/// Peers that go away, dawdle, or do not listen.
@Suite struct PeerTests {
    enum Farewell: CaseIterable { case closes, resets, sendsNoMore }

    @Test(arguments: Farewell.allCases)
    func `the poll of a peer that goes away ends at once`(farewell: Farewell) async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer()
            peer.send(try bench.poll())
            try await bench.until { bench.desk.parkedCount == 1 }
            switch farewell {
            case .closes: peer.close()
            case .resets: peer.reset()
            case .sendsNoMore: peer.finish()
            }
            try await bench.until { bench.desk.parkedCount == 0 && bench.reactor.connectionCount == 0 }
        }
    }

    @Test func `a peer that sends a poll and its end together has not been there`() async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer()
            peer.send(try bench.poll())
            peer.finish()
            #expect(try await peer.rest() == [])
            #expect(bench.desk.parkedCount == 0)
        }
    }

    @Test func `a question is answered even when the peer sends its end with it`() async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer()
            peer.send(ReactorBench.get("/health"))
            peer.finish()
            #expect(try await peer.answer().text == "ok\n")
            #expect(try await peer.rest() == [])
        }
    }

    @Test func `half a request is answered with 408 at its deadline, however many bytes still trickle in`() async throws
    {
        try await ReactorBench.run(quick) { bench in
            let peer = try bench.peer()
            peer.send("GET /health HTTP/1.1\r\nHo")
            try await bench.until { bench.reactor.connectionCount == 1 }
            bench.pass(seconds: 5)
            peer.send("st: ")
            bench.pass(seconds: 5)
            peer.send("a")
            bench.pass(seconds: 1)
            let answer = try await peer.answer()
            #expect(answer.status == 408)
            #expect(answer.fields["connection"] == "close")
            // Who does not leave is not waited for.
            try await bench.until {
                bench.pass(seconds: 3)
                return bench.reactor.connectionCount == 0
            }
        }
    }

    @Test func `a connection without a request is closed when it was idle for long, and not before`() async throws {
        try await ReactorBench.run(quick) { bench in
            let peer = try bench.peer()
            peer.send(ReactorBench.get("/health"))
            #expect(try await peer.answer().status == 200)
            bench.pass(seconds: 59)
            peer.send(ReactorBench.get("/health"))
            #expect(try await peer.answer().status == 200)
            bench.pass(seconds: 60)
            peer.send(ReactorBench.get("/health"))
            #expect(try await peer.answer().status == 200)
            bench.pass(seconds: 61)
            #expect(try await peer.rest() == [])
        }
    }

    @Test func `a parked poll has no deadline but its own`() async throws {
        try await ReactorBench.run(quick) { bench in
            let peer = try bench.peer()
            peer.send(try bench.poll())
            try await bench.until { bench.desk.parkedCount == 1 }
            bench.pass(seconds: 10_000)
            await bench.publish(1, 2)
            #expect(try await peer.answer().moved() == [[1, 2]])
        }
    }

    @Test func `a peer that does not read its answers is closed at its deadline`() async throws {
        try await ReactorBench.run(quick) { bench in
            let peer = try bench.peer(window: 2_048)
            peer.flood(ReactorBench.get("/metrics"))
            try await bench.until { bench.reactor.connectionCount == 1 }
            try await bench.until {
                bench.pass(seconds: 11)
                return bench.reactor.connectionCount == 0
            }
        }
    }

    @Test func `a peer that reads slowly gets all of its answers, in order`() async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer(window: 2_048)
            let count = 200
            let questions = (0..<count).map { ReactorBench.get($0 % 2 == 0 ? "/metrics" : "/health") }.joined()
            async let sent: Void = Task.detached { peer.send(questions) }.value
            for number in 0..<count {
                let answer = try await peer.answer()
                #expect(answer.text.hasPrefix(number % 2 == 0 ? "# TYPE" : "ok"))
            }
            await sent
        }
    }

    @Test func `threads that share their files never close each other's connections`() async throws {
        try await ReactorBench.run({ $0.threads = 4 }) { bench in
            // A descriptor that one thread closes is the very one that another is given next.
            try await withThrowingTaskGroup(of: Void.self) { peers in
                for _ in 0..<8 {
                    peers.addTask {
                        for _ in 0..<400 {
                            let peer = try bench.peer()
                            peer.send("GET /health HTTP/1.1\r\nHost: a\r\n")
                            await Task.yield()
                            peer.send("\r\n")
                            #expect(try await peer.answer().text == "ok\n")
                            peer.close()
                        }
                    }
                }
                try await peers.waitForAll()
            }
            // A loop leaves its counts at the end of a round: an answer may be read before the round that sent it is counted.
            try await bench.until { bench.reactor.acceptedCount >= 3_200 && bench.reactor.connectionCount == 0 }
            #expect(bench.reactor.acceptedCount == 3_200)
        }
    }

    @Test func `when the buffers for half requests are used up, the oldest gives way to the newest`() async throws {
        try await ReactorBench.run({ $0.buffers = 3 }) { bench in
            var peers: [Peer] = []
            for count in 1...5 {
                let peer = try bench.peer()
                peer.send("GET /health HTTP/1.1\r\n")
                peers.append(peer)
                try await bench.until {
                    bench.reactor.acceptedCount == count && bench.reactor.connectionCount == min(count, 3)
                }
            }
            for peer in peers.suffix(3) {
                peer.send("Host: a\r\n\r\n")
                #expect(try await peer.answer().status == 200)
            }
            for peer in peers.prefix(2) { #expect(try await peer.rest() == []) }
        }
    }

    private let quick: @Sendable (inout ReactorConfiguration) -> Void = { configuration in
        configuration.idle = 60
        configuration.request = 10
        configuration.answer = 10
        configuration.linger = 2
    }
}
