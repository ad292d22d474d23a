import Glibc
import Messaging

/// What the thread of a ``SocketChangeBus`` does: it connects, hands on what comes, and connects again.
struct BusLinkThread {
    private let path: String
    private let local: InProcessChangeBus
    private let shared: BusLinkState
    private let limits: SocketBusLimits
    private let report: (SocketChangeBus.Connection) -> Void
    /// The number of the last event that came over this connection.
    private var heard: UInt64?
    /// Since when the server owes an answer.
    private var owedSince: ContinuousClock.Instant?

    init(
        path: String, local: InProcessChangeBus, shared: BusLinkState, limits: SocketBusLimits,
        report: @escaping (SocketChangeBus.Connection) -> Void
    ) {
        self.path = path
        self.local = local
        self.shared = shared
        self.limits = limits
        self.report = report
    }

    /// Keeps a connection until the bus is closed.
    mutating func run(_ generator: inout some RandomNumberGenerator) {
        var pause = ReconnectPause(base: limits.firstPause, cap: limits.longestPause)
        var isFirstFailure = true
        while !shared.isClosed {
            do throws(BusSocketError) {
                var connection = BusConnection(try LocalSocket.connect(to: path))
                defer {
                    LocalSocket.hangUp(connection.descriptor)
                    shared.disconnect()
                    if connection.isGreeted {
                        pause.reset()
                        isFirstFailure = true
                    }
                }
                try serve(&connection)
            } catch {
                if isFirstFailure { report(.lost(error)) }
                isFirstFailure = false
            }
            wait(pause.next(using: &generator))
        }
    }

    /// Moves frames in both directions, until the bus is closed.
    /// - Throws: ``BusSocketError`` when the connection is of no more use.
    private mutating func serve(_ connection: inout BusConnection) throws(BusSocketError) {
        heard = nil
        owedSince = .now
        var greeting = BusFrame.hello(version: BusFrame.version).encoded
        while !shared.isClosed {
            try connection.send {
                defer { greeting = [] }
                return greeting.isEmpty ? shared.take() : greeting
            }
            if owedSince == nil, shared.underWayCount > 0 { owedSince = .now }
            var readiness = Readiness()
            let call = readiness.add(shared.wakeup.descriptor)
            let place = readiness.add(connection.descriptor, writing: connection.isSending)
            readiness.wait(owedSince.map { limits.patience - $0.duration(to: .now) })
            if readiness.canRead(call) { shared.wakeup.clear() }
            if readiness.canRead(place) { try receive(&connection) }
            if let owedSince, owedSince.duration(to: .now) >= limits.patience {
                throw BusSocketError(.silent, "the server did not answer over the bus")
            }
        }
    }

    private mutating func receive(_ connection: inout BusConnection) throws(BusSocketError) {
        let wasGreeted = connection.isGreeted
        let frames = try connection.receive()
        if connection.isGreeted, !wasGreeted {
            owedSince = nil
            shared.connect()
            // From here on every message comes. What was told before may have been missed.
            local.leaveGap()
            report(.made)
        }
        for frame in frames { try take(frame) }
    }

    private mutating func take(_ frame: BusFrame) throws(BusSocketError) {
        switch frame {
        case .event(let event):
            if let heard, event.sequence != heard + 1 { local.leaveGap() }
            heard = event.sequence
            local.tell(event.message)
        case .acknowledged:
            try shared.acknowledge()
            owedSince = shared.underWayCount > 0 ? .now : nil
        case .hello, .publish, .lost:
            throw BusSocketError(.malformed, "the server sent a frame that only other processes send")
        }
    }

    /// Waits, unless the bus is closed.
    private func wait(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while !shared.isClosed {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return }
            var readiness = Readiness()
            let call = readiness.add(shared.wakeup.descriptor)
            readiness.wait(left)
            if readiness.canRead(call) { shared.wakeup.clear() }
        }
    }
}
