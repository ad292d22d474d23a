import Foundation
public import Messaging

/// Publishes single messages through the server of a machine, for commands that do one thing and end.
public struct BusAnnouncement: Sendable {
    private let path: String
    private let patience: Duration

    /// Speaks to the server that listens at a path, if there is one; it has `patience` to answer.
    public init(path: String, patience: Duration = .seconds(5)) {
        self.path = path
        self.patience = patience
    }

    /// Publishes a message, and waits until it has reached the server's bus.
    /// - Returns: Whether a server runs; without one nobody is to be told.
    /// - Throws: ``BusSocketError`` when there is one, but it did not take the message.
    public func callAsFunction(_ message: BusMessage) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { [self] in
                continuation.resume(with: Result { () throws(BusSocketError) in try send(message) }.mapError { $0 })
            }
        }
    }

    private func send(_ message: BusMessage) throws(BusSocketError) -> Bool {
        let descriptor: Int32
        do throws(BusSocketError) {
            descriptor = try LocalSocket.connect(to: path)
        } catch {
            if error.code == .notListening { return false }
            throw error
        }
        defer { LocalSocket.hangUp(descriptor) }
        var connection = BusConnection(descriptor)
        var unsent = BusFrame.hello(version: BusFrame.version).encoded + BusFrame.publish(message).encoded
        let end = ContinuousClock.now + patience
        while true {
            try connection.send {
                defer { unsent = [] }
                return unsent
            }
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { throw BusSocketError(.silent, "the server did not answer over the bus") }
            var readiness = Readiness()
            let place = readiness.add(descriptor, writing: connection.isSending)
            readiness.wait(left)
            if readiness.canRead(place), try connection.receive().contains(.acknowledged) { return true }
        }
    }
}
