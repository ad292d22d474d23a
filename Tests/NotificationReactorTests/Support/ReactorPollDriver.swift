import Foundation
import Logging
import Model
import NotificationConformance
import NotificationReactor
import Notifications
import Synchronization
import TestSupport
import WireProtocol

/// The reactor as the conformance suite uses it: devices with tokens, each poll on a connection of its own.
final class ReactorPollDriver: PollDriver {
    private let reactor: NotificationReactor
    private let running: Task<Void, any Error>
    private let clock = ManualClock()
    private let devices = Mutex<[[NamespaceID]]>([])

    init(_ desk: PollDesk, _ configure: (inout ReactorConfiguration) -> Void = { _ in }) throws {
        var configuration = ReactorConfiguration()
        configure(&configuration)
        let reactor = try NotificationReactor(
            configuration: configuration, desk: desk, keys: ReactorBench.keys, clock: clock,
            generator: SeededGenerator(seed: 3), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        self.reactor = reactor
        running = Task { try await reactor.run() }
    }

    func makeDevice(seeing namespaces: [NamespaceID]) async throws -> DeviceID {
        devices.withLock { devices in
            devices.append(namespaces)
            return ReactorBench.device(UInt64(devices.count))
        }
    }

    func poll(device: DeviceID, cursors: [Cursor], timeout: UInt32) async throws -> any OpenPoll {
        let namespaces = devices.withLock { $0[Int(device.low) - 1] }
        let token = PollToken(
            account: AccountID(high: 5, low: 5), device: device, namespaces: namespaces,
            expires: UInt64(clock.now().nanoseconds / 1_000_000_000) + PollToken.lifetime)
        guard let key = ReactorBench.keys[1] else { preconditionFailure("the bench has no such key") }
        let body = try PollRequest(cursors: cursors, timeout: timeout).encoded()
        let peer = try Peer(port: reactor.port)
        peer.send(ReactorBench.post(body, "Authorization: Bearer \(token.sign(with: key, version: 1))\r\n"))
        return ReactorPoll(peer: peer)
    }

    func stop() async throws {
        running.cancel()
        try await running.value
    }
}

/// A poll on its connection.
private struct ReactorPoll: OpenPoll {
    let peer: Peer

    /// An answer that no poll is to get.
    struct Unexpected: Error { let answer: Peer.Answer }

    func reply() async throws -> PollReply {
        let answer = try await peer.answer()
        if answer.status == 200 {
            let moved = try PollResponse(decoding: answer.body).moved.map {
                MovedNamespace(namespace: $0.namespace, revision: $0.revision, pending: $0.pending)
            }
            return moved.isEmpty ? .nothing : .moved(moved)
        }
        let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
        switch (problem.code, answer.fields["retry-after"].flatMap { UInt32($0) }) {
        case (.tokenRevoked, _): return .revoked
        case (.forbidden, _): return .forbidden
        case (.unavailable, let seconds?): return .refused(retryAfter: seconds)
        default: throw Unexpected(answer: answer)
        }
    }

    func hangUp() async { peer.close() }
}
