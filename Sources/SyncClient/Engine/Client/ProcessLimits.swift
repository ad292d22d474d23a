import CLinux
import Glibc

/// What the process asks of the system.
enum ProcessLimits {
    private static let wanted: rlim_t = 8192
    private static let arenas: Int32 = 2

    /// Bounds the memory that is kept for reuse: with an arena for each thread, megabytes of blocks that were freed on one
    /// would lie idle while another asks for more. Costs nothing that could be measured.
    static func boundMemory() {
        cairn_bound_arenas(arenas)
    }

    /// Raises the limit as far as the system lets us: each file of a portion stays open while it is built, and the usual
    /// 1,024 are few for that. Where it can't be raised, less is done at a time.
    static func raiseOpenFiles() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(resource, &limit)
    }

    /// How many steps may hold a file at once.
    static var stepsInPortion: Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 200 }
        return max(50, min(1000, Int(clamping: limit.rlim_cur) / 4))
    }
}
