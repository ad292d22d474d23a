import CLinux
import Glibc
import Model

/// The work of the watching thread: sets watches, waits, and gathers events into batches.
///
/// `@unchecked Sendable` because after it is made, the thread that runs it alone touches it.
final class WatchLoop: @unchecked Sendable {
    private let folder: LinkedFolder
    private let inotify: OpenFile
    private let stopper: Stopper
    private let clock: ContinuousClock
    private let start: ContinuousClock.Instant
    private var period: QuietPeriod
    private var tree = WatchTree()
    private var batch = WatchBatch()

    init(_ folder: LinkedFolder, _ period: QuietPeriod, _ clock: ContinuousClock, _ stopper: Stopper) throws {
        self.clock = clock
        start = clock.now
        self.folder = folder
        self.period = period
        self.stopper = stopper
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw ClientError.system("watch", folder.handle.path, errno: errno) }
        inotify = OpenFile(descriptor: descriptor, path: folder.handle.path)
    }

    private static let mask =
        UInt32(IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO)
        | UInt32(IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK)

    /// Watches until the stopper is pulled, and hands out the batches.
    func run(_ offer: (WatchBatch) -> Void) {
        watch(.root)
        batch.merge(WatchBatch(isEverything: true))
        hand(offer)
        while wait() {
            for event in read() { perform(tree.handle(event)) }
            if let deadline = period.deadline, deadline <= now() {
                perform(tree.settleMoves())
                hand(offer)
            }
        }
    }

    private func hand(_ offer: (WatchBatch) -> Void) {
        period.reset()
        if !batch.isEmpty { offer(batch) }
        batch = WatchBatch()
    }

    /// Waits for events or for the moment to hand out what has come. Returns false when it is time to stop.
    private func wait() -> Bool {
        var waits = [
            pollfd(fd: inotify.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopper.reading.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let rest = period.deadline.map { Int32(clamping: max(0, ($0 - now() + 999_999) / 1_000_000)) }
        let result = poll(&waits, 2, rest ?? -1)
        return waits[1].revents == 0 && (result >= 0 || errno == EINTR)
    }

    private func read() -> [WatchTree.Event] {
        var events: [WatchTree.Event] = []
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            let count = Glibc.read(inotify.descriptor, buffer.baseAddress, buffer.count)
            if count > 0 { events = Self.decode(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        }
        if !events.isEmpty { period.note(at: now()) }
        return events
    }

    /// The events as `inotify(7)` packs them: watch (4), mask (4), cookie (4), length (4), name with NULs behind.
    private static func decode(_ bytes: UnsafeRawBufferPointer) -> [WatchTree.Event] {
        var events: [WatchTree.Event] = []
        var position = 0
        while position + 16 <= bytes.count {
            func word(_ index: Int) -> UInt32 {
                bytes.loadUnaligned(fromByteOffset: position + 4 * index, as: UInt32.self)
            }
            let end = position + 16 + Int(word(3))
            events.append(
                WatchTree.Event(
                    watch: Int32(bitPattern: word(0)), mask: word(1), cookie: word(2),
                    name: Array(bytes[(position + 16)..<end].prefix { $0 != 0 })))
            position = end
        }
        return events
    }

    private func perform(_ actions: [WatchTree.Action]) {
        for action in actions {
            switch action {
            case .dirty(let path): batch.merge(WatchBatch(folders: [path]))
            case .watch(let path): watch(path)
            case .unwatch(let watch): inotify_rm_watch(inotify.descriptor, watch)
            case .everything:
                batch.merge(WatchBatch(isEverything: true))
                // Folders made while events were lost have no watch yet.
                watch(.root)
            }
        }
    }

    /// Sets watches on a folder and all in it: on each before its entries are listed, so that none is missed.
    private func watch(_ path: LocalPath) {
        var waiting = [path]
        while let next = waiting.popLast() {
            guard let handle = try? folder.handle.folder(at: next), add(handle, next),
                let listing = try? FolderListing(handle)
            else { continue }
            for index in 0..<listing.count {
                let name = listing[index]
                guard !LinkedFolder.isReserved(name), let found = try? handle.status(of: name), found.kind == .folder
                else { continue }
                waiting.append(next.appending(name))
            }
        }
    }

    private func add(_ handle: OpenFile, _ path: LocalPath) -> Bool {
        // By its descriptor: no link that takes the folder's place can lead the watch elsewhere.
        let watch = inotify_add_watch(inotify.descriptor, "/proc/self/fd/\(handle.descriptor)", Self.mask)
        guard watch >= 0 else {
            report(errno, handle)
            return false
        }
        if path.isRoot {
            tree.insert(root: watch)
        } else if let parent = path.parent, let around = tree.watch(at: parent) {
            // What changed in it while it was not watched told nobody.
            if tree.insert(watch, name: path.lastName, in: around) { batch.merge(WatchBatch(folders: [path])) }
        }
        return true
    }

    private func report(_ number: Int32, _ handle: OpenFile) {
        guard number == ENOSPC || number == ENOMEM else { return }
        batch.merge(
            WatchBatch(
                problem: Problem(
                    path: .root, code: .watchLimit,
                    message: "the kernel watches no more folders than \(tree.count) for this user (set "
                        + "fs.inotify.max_user_watches higher): '\(handle.path)' and others are scanned from time to time"
                )))
        period.note(at: now())
    }

    /// Nanoseconds since the loop was made.
    private func now() -> Int64 { (clock.now - start).nanoseconds }
}
