import Glibc

/// The system's calls on Unix stream sockets. No socket of them ever makes its caller wait.
enum LocalSocket {
    /// Listens at a path, for the user of this process alone, in the place of whatever lies there: a socket that a killed
    /// process left is replaced in one step. Who calls makes sure that no other process listens there.
    static func listen(at path: String, backlog: Int32) throws(BusSocketError) -> Int32 {
        let (folder, name) = try place(path)
        defer { Glibc.close(folder) }
        let draft = "\(name).\(getpid())"
        unlinkat(folder, draft, 0)
        let descriptor = try make()
        do throws(BusSocketError) {
            guard try withAddress(folder, draft, { Glibc.bind(descriptor, $0, $1) }) == 0 else {
                throw .system("can't listen at \(path)", errno)
            }
            // Nobody can connect before it listens, so the mode is set in time.
            guard fchmodat(folder, draft, 0o600, 0) == 0, Glibc.listen(descriptor, backlog) == 0,
                renameat(folder, draft, folder, name) == 0
            else { throw .system("can't listen at \(path)", errno) }
        } catch {
            unlinkat(folder, draft, 0)
            Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Connects to whoever listens at a path.
    /// - Throws: ``BusSocketError``: `notListening` when nobody does.
    static func connect(to path: String) throws(BusSocketError) -> Int32 {
        let (folder, name) = try place(path)
        defer { Glibc.close(folder) }
        let descriptor = try make()
        let answer: Int32
        do throws(BusSocketError) {
            answer = try withAddress(folder, name) { Glibc.connect(descriptor, $0, $1) }
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        guard answer == 0 else {
            let number = errno
            Glibc.close(descriptor)
            throw .system("can't connect to \(path)", number)
        }
        return descriptor
    }

    /// The next connection that waits; nil when none does.
    static func accept(_ listener: Int32) -> Int32? {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        guard prepare(descriptor) else {
            Glibc.close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Hangs up, also where another thread has a file table of its own in which the descriptor lives on.
    static func hangUp(_ descriptor: Int32) {
        shutdown(descriptor, Int32(SHUT_RDWR))
        Glibc.close(descriptor)
    }

    private static func make() throws(BusSocketError) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .system("can't make a socket", errno) }
        guard prepare(descriptor) else {
            Glibc.close(descriptor)
            throw .system("can't make a socket", errno)
        }
        return descriptor
    }

    private static func prepare(_ descriptor: Int32) -> Bool {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 && fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0
    }

    /// Opens the folder of a path: an address holds 107 bytes, paths may be longer.
    private static func place(_ path: String) throws(BusSocketError) -> (folder: Int32, name: String) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("can't open \(folder)", errno) }
        return (descriptor, name)
    }

    private static func withAddress(
        _ folder: Int32, _ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(BusSocketError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The thread's own table of files, which need not be the process's.
        let text = Array("/proc/thread-self/fd/\(folder)/\(name)".utf8)
        guard text.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw BusSocketError(.system, "'\(name)' is too long for the name of a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
