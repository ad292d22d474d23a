import Foundation
import Model
import NotificationReactor
import Notifications
import Testing
import WireProtocol

/// What devices are answered over real connections.
@Suite struct PollAnswerTests {
    @Test func `a poll behind its cursor is answered at once`() async throws {
        try await ReactorBench.run { bench in
            bench.setHead(1, to: 8)
            let peer = try bench.peer()
            peer.send(try bench.poll([(1, 7)]))
            let answer = try await peer.answer()
            #expect(answer.status == 200)
            #expect(answer.fields["content-type"] == "application/vnd.cairn.v1")
            #expect(answer.fields["connection"] == nil)
            #expect(try answer.moved() == [[1, 8]])
        }
    }

    @Test func `a parked poll is answered when its namespace moves, and no other is`() async throws {
        try await ReactorBench.run { bench in
            let peers = try [bench.peer(), bench.peer()]
            for (index, peer) in peers.enumerated() {
                peer.send(try bench.poll([(UInt64(index), 1)], device: UInt64(index)))
            }
            try await bench.until { bench.desk.parkedCount == 2 }
            await bench.publish(1, 2)
            #expect(try await peers[1].answer().moved() == [[1, 2]])
            #expect(bench.desk.parkedCount == 1)
        }
    }

    @Test func `a poll whose time is over is told nothing`() async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer()
            peer.send(try bench.poll(timeout: 5))
            try await bench.until { bench.desk.parkedCount == 1 }
            bench.desk.advance(to: 5)
            #expect(bench.desk.parkedCount == 1)
            bench.desk.advance(to: 6)
            #expect(try await peer.answer().moved() == [])
        }
    }

    @Test func `a poll is not parked for longer than the configuration allows`() async throws {
        try await ReactorBench.run(configured { $0.longestPoll = 10 }) { bench in
            let peer = try bench.peer()
            peer.send(try bench.poll(timeout: 86_400))
            try await bench.until { bench.desk.parkedCount == 1 }
            bench.desk.advance(to: 11)
            #expect(try await peer.answer().moved() == [])
        }
    }

    @Test func `a second poll of a device ends the first, which is told nothing`() async throws {
        try await ReactorBench.run { bench in
            let (first, second) = (try bench.peer(), try bench.peer())
            first.send(try bench.poll())
            try await bench.until { bench.desk.parkedCount == 1 }
            second.send(try bench.poll())
            #expect(try await first.answer().moved() == [])
            await bench.publish(1, 2)
            #expect(try await second.answer().moved() == [[1, 2]])
        }
    }

    @Test func `one connection carries one poll after the other`() async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer()
            for revision in 1...20 as ClosedRange<UInt64> {
                peer.send(try bench.poll([(1, revision)]))
                if revision % 3 > 0 { try await bench.until { bench.desk.parkedCount == 1 } }
                await bench.publish(1, revision + 1)
                #expect(try await peer.answer().moved() == [[1, revision + 1]])
            }
            #expect(bench.reactor.connectionCount == 1)
        }
    }

    @Test func `requests that are sent together are answered in order, a parked poll before what follows it`()
        async throws
    {
        try await ReactorBench.run { bench in
            bench.setHead(1, to: 5)
            let peer = try bench.peer()
            let health = Array(ReactorBench.get("/health").utf8)
            peer.send(try health + bench.poll([(1, 4)]) + bench.poll([(1, 5)]) + health + health)
            #expect(try await peer.answer().text == "ok\n")
            #expect(try await peer.answer().moved() == [[1, 5]])
            try await bench.until { bench.desk.parkedCount == 1 }
            // This one is left in the kernel.
            peer.send(ReactorBench.get("/nowhere"))
            await bench.publish(1, 6)
            #expect(try await peer.answer().moved() == [[1, 6]])
            #expect(try await peer.answer().text == "ok\n")
            #expect(try await peer.answer().text == "ok\n")
            #expect(try await peer.answer().status == 404)
        }
    }

    @Test func `a request may come byte by byte`() async throws {
        try await ReactorBench.run { bench in
            bench.setHead(1, to: 5)
            let peer = try bench.peer()
            for byte in try bench.poll([(1, 4)]) {
                peer.send([byte])
                // As many packets as bytes, as far as the kernel lets it be.
                await Task.yield()
            }
            #expect(try await peer.answer().moved() == [[1, 5]])
        }
    }

    @Test func `a device that asks for it has its connection closed after the answer`() async throws {
        try await ReactorBench.run { bench in
            bench.setHead(1, to: 5)
            let peer = try bench.peer()
            peer.send(try bench.poll([(1, 4)], fields: "Connection: close\r\n"))
            let answer = try await peer.answer()
            #expect(answer.fields["connection"] == "close")
            #expect(try answer.moved() == [[1, 5]])
            #expect(try await peer.rest() == [])
        }
    }

    @Test func `health, readiness and metrics are answered without a token`() async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer()
            peer.send(ReactorBench.get("/health") + ReactorBench.get("/ready") + ReactorBench.get("/metrics"))
            #expect(try await peer.answer().text == "ok\n")
            #expect(try await peer.answer().text == "ready\n")
            let metrics = try await peer.answer().text
            #expect(metrics.contains("\ncairn_polls_parked 0\n"))
            #expect(metrics.contains("# TYPE cairn_reactor_accepted_total counter\n"))
        }
    }

    private func configured(
        _ change: @escaping (inout ReactorConfiguration) -> Void
    ) -> (inout ReactorConfiguration) -> Void { change }
}
