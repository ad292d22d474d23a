import Foundation
import Model
import NotificationReactor
import Notifications
import Synchronization
import Testing
import WireProtocol

/// As many polls as there is room for, and more; and the end of a server.
@Suite struct CapacityTests {
    @Test func `polls beyond the capacity are told to come back later, and health is still answered`() async throws {
        try await ReactorBench.run({ $0.capacity = 3 }) { bench in
            let parked = try (1...3 as ClosedRange<UInt64>).map { device in
                let peer = try bench.peer()
                peer.send(try bench.poll(device: device))
                return peer
            }
            try await bench.until { bench.desk.parkedCount == 3 }
            var delays: Set<Int> = []
            for _ in 0..<10 {
                let peer = try bench.peer()
                peer.send(try bench.poll(device: 4))
                let answer = try await peer.answer()
                #expect(answer.status == 503)
                #expect(answer.fields["connection"] == "close")
                let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
                #expect(problem.code == .unavailable)
                #expect(answer.fields["retry-after"] == problem.retryAfter.map { String($0) })
                delays.insert(problem.retryAfter ?? 0)
                #expect(try await peer.rest() == [])
            }
            #expect(delays.count > 1)
            #expect(delays.allSatisfy { 5...15 ~= $0 })
            let peer = try bench.peer()
            peer.send(ReactorBench.get("/health"))
            #expect(try await peer.answer().status == 200)
            // Room is made by an answer.
            await bench.publish(1, 2)
            for peer in parked { #expect(try await peer.answer().moved() == [[1, 2]]) }
            peer.send(try bench.poll([(1, 2)], device: 4))
            try await bench.until { bench.desk.parkedCount == 1 }
        }
    }

    @Test func `a desk that is full has the reactor say so`() async throws {
        try await ReactorBench.run(capacity: 1) { bench in
            let (first, second) = (try bench.peer(), try bench.peer())
            first.send(try bench.poll(device: 1))
            try await bench.until { bench.desk.parkedCount == 1 }
            second.send(try bench.poll(device: 2))
            #expect(try await second.answer().status == 503)
            await bench.publish(1, 2)
            #expect(try await first.answer().status == 200)
        }
    }

    @Test func `connections that ask for nothing give way when there is no more room`() async throws {
        try await ReactorBench.run({ $0.capacity = 2 }) { bench in
            // 2 for polls and 64 besides.
            let idle = try (0..<66).map { _ in
                let peer = try bench.peer()
                peer.send(ReactorBench.get("/health"))
                return peer
            }
            for peer in idle { #expect(try await peer.answer().status == 200) }
            let peer = try bench.peer()
            peer.send(try bench.poll())
            try await bench.until { bench.desk.parkedCount == 1 && bench.reactor.connectionCount == 66 }
            #expect(try await idle[0].rest() == [])
        }
    }

    @Test func `threads with file tables of their own hold more connections than one table has files`() async throws {
        let limit = 400
        try await ReactorBench.run({
            $0.capacity = 600
            $0.files = limit
        }) { bench in
            #expect(bench.reactor.threadCount > 1)
            let peers = try (0..<600 as Range<UInt64>).map { device in
                let peer = try bench.peer()
                peer.send(try bench.poll([(device, 1)], device: device))
                return peer
            }
            try await bench.until { bench.desk.parkedCount == 600 && bench.reactor.connectionCount == 600 }
            for (device, peer) in peers.enumerated() {
                await bench.publish(UInt64(device), 2)
                #expect(try await peer.answer().moved() == [[UInt64(device), 2]])
            }
        }
    }

    @Test(arguments: [10_000, 110])
    func `a server that stops answers all polls, closes, and listens no more`(files: Int) async throws {
        let ended = try await stopped(files: files)
        for peer in ended.peers {
            let answer = try await peer.answer()
            #expect(answer.fields["connection"] == "close")
            #expect(try answer.moved() == [])
            #expect(try await peer.rest() == [])
        }
        #expect(try await ended.idle.rest() == [])
        // Though the reactor is still there.
        #expect(throws: Peer.Failure.self) { try Peer(port: ended.bench.reactor.port) }
    }

    /// A reactor that was stopped with polls parked and a connection idle.
    private func stopped(files: Int) async throws -> (peers: [Peer], idle: Peer, bench: ReactorBench) {
        let kept = Kept<(peers: [Peer], idle: Peer, bench: ReactorBench)>()
        try await ReactorBench.run({
            $0.capacity = 20
            $0.threads = 2
            if files < 1_000 { $0.files = files }
        }) { bench in
            let peers = try (0..<20 as Range<UInt64>).map { device in
                let peer = try bench.peer()
                peer.send(try bench.poll(device: device))
                return peer
            }
            let idle = try bench.peer()
            idle.send(ReactorBench.get("/health"))
            #expect(try await idle.answer().status == 200)
            try await bench.until { bench.desk.parkedCount == 20 }
            kept.keep((peers, idle, bench))
        }
        return try #require(kept.value)
    }
}

/// Carries what a reactor's test made out of the time in which the reactor runs.
private final class Kept<Value: Sendable>: Sendable {
    private let kept = Mutex<Value?>(nil)

    var value: Value? { kept.withLock { $0 } }

    func keep(_ value: Value) { kept.withLock { $0 = value } }
}
