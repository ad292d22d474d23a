import Foundation
import Messaging

@testable import MessagingLocal

/// A process that speaks to a bus as no process should.
final class RawPeer: Sendable {
    let descriptor: Int32

    init(_ path: String) throws {
        descriptor = try LocalSocket.connect(to: path)
        try prepare()
    }

    init(accepted descriptor: Int32) throws {
        self.descriptor = descriptor
        try prepare()
    }

    deinit { close(descriptor) }

    private func prepare() throws {
        // Here, calls may wait.
        guard fcntl(descriptor, F_SETFL, 0) == 0 else { throw BusSocketError.system("fcntl", errno) }
    }

    func send(_ frames: BusFrame...) { send(bytes: frames.flatMap(\.encoded)) }

    func send(bytes: [UInt8]) { _ = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Everything until the other side hangs up.
    func everything() async -> [BusFrame] { await frames(atMost: .max) }

    /// The next frames; fewer when the other side hangs up.
    func frames(atMost count: Int) async -> [BusFrame] {
        await withCheckedContinuation { continuation in
            // Threads of their own: queues would share two of them, and all of those would wait.
            Thread.detachNewThread { [descriptor] in
                var reader = BusFrameReader()
                var frames: [BusFrame] = []
                var byte: UInt8 = 0
                while frames.count < count {
                    if let frame = try? reader.next() {
                        frames.append(frame)
                        continue
                    }
                    guard recv(descriptor, &byte, 1, 0) == 1 else { break }
                    reader.feed([byte])
                }
                continuation.resume(returning: frames)
            }
        }
    }
}

/// A server that speaks to the processes of a bus as no server should.
final class RawServer: Sendable {
    private let listener: Int32

    init(_ path: String) throws {
        listener = try LocalSocket.listen(at: path, backlog: 8)
        guard fcntl(listener, F_SETFL, 0) == 0 else { throw BusSocketError.system("fcntl", errno) }
    }

    deinit { close(listener) }

    /// The next process that connects.
    func accept() async throws -> RawPeer {
        let descriptor = await withCheckedContinuation { continuation in
            Thread.detachNewThread { [listener] in
                continuation.resume(returning: Foundation.accept(listener, nil, nil))
            }
        }
        return try RawPeer(accepted: descriptor)
    }
}
