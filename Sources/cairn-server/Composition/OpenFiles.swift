import Glibc

/// How many files the process may have open.
enum OpenFiles {
    /// Raises the limit to what the system allows this process: a parked poll is an open file.
    static func raise() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        // When the system refuses, the limit stays as it is, and the reactor works within it.
        _ = setrlimit(resource, &limit)
    }
}
