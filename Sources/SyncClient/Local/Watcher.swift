import CLinux
import Foundation
import Glibc
import Model
import Synchronization

/// Watches a linked folder with inotify, and hands out which folders to scan.
///
/// There is one watch on each folder, set before the folder is scanned, so that what changes during a scan comes in a
/// later batch. The first batch says to scan everything; it comes when all watches are set. A thread of its own waits
/// for the kernel.
final class Watcher: Sendable {
    /// What waits to be taken, as one batch however much it is.
    private let pending = Mutex(WatchBatch())
    private let signal: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation
    private let stopper: Stopper

    /// Starts to watch.
    /// - Throws: ``ClientError`` when the kernel gives out no inotify instance.
    init(
        _ folder: LinkedFolder, period: QuietPeriod = QuietPeriod(), clock: ContinuousClock = ContinuousClock()
    ) throws {
        (signal, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        stopper = try Stopper()
        let loop = try WatchLoop(folder, period, clock, stopper)
        let thread = Thread { [weak self] in
            loop.run { batch in self?.offer(batch) }
            self?.bell.finish()
        }
        thread.name = "cairn.watch"
        thread.start()
    }

    deinit { stop() }

    /// Ends the watching, and the sequence of batches.
    func stop() {
        stopper.stop()
        bell.finish()
    }

    private func offer(_ batch: WatchBatch) {
        pending.withLock { $0.merge(batch) }
        bell.yield()
    }

    /// Takes what has come: nil when nothing has.
    func take() -> WatchBatch? {
        pending.withLock { batch in
            defer { batch = WatchBatch() }
            return batch.isEmpty ? nil : batch
        }
    }
}

extension Watcher: AsyncSequence {
    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let watcher: Watcher
        fileprivate var signals: AsyncStream<Void>.Iterator

        /// The next batch; nil when the watching has ended.
        mutating func next() async -> WatchBatch? {
            while await signals.next(isolation: #isolation) != nil {
                if let batch = watcher.take() { return batch }
            }
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(watcher: self, signals: signal.makeAsyncIterator()) }
}

/// A pipe whose far end the watching thread waits for.
final class Stopper: Sendable {
    let reading: OpenFile
    private let writing: Mutex<OpenFile?>

    init() throws {
        var ends: [Int32] = [0, 0]
        guard cairn_pipe(&ends) == 0 else {
            throw ClientError.system("make", LocalPath(bytes: Array("a pipe".utf8)), errno: errno)
        }
        reading = OpenFile(descriptor: ends[0], path: LocalPath(bytes: Array("a pipe".utf8)))
        writing = Mutex(OpenFile(descriptor: ends[1], path: LocalPath(bytes: Array("a pipe".utf8))))
    }

    /// Closes the writing end, which the reader notices. May be called again.
    func stop() { writing.withLock { $0 = nil } }
}
