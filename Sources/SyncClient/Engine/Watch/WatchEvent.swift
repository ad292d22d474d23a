/// What whoever runs the watching may want to tell.
public enum WatchEvent: Sendable {
    /// A folder is being watched from now on.
    case watching(folder: String)
    /// A pass ended.
    case pass(folder: String, SyncResult)
    /// A pass could not be made; it is tried again.
    case problem(folder: String, String)
}
