import Glibc

/// Lets one loop at a time to the desk.
///
/// The desk's own lock hands itself over to whoever waits for it. With a few dozen loops on a few processors each would then
/// wait for a turn of the processor with every poll, and spin before that; this one is taken again by who runs.
/// Sendable although it holds a pointer: the lock behind it is made for many threads.
final class DeskGate: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Does something that asks the desk.
    func pass<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}
