import Metadata
import Model

/// Decides what a node is to be when a device's changes are taken back: a pure function of its versions.
///
/// Only what the device did last is taken back: the changes from the newest one back to the first that is not of the
/// device's in the window. So what others changed before stays, and a node that was changed after is left.
struct UndoRule {
    /// The revisions that are taken back.
    let revisions: Set<Revision>

    enum Verdict: Hashable {
        /// There is nothing to take back, or it was taken back already.
        case nothing
        /// It is to be as this version, or gone for nil.
        case restore(NodeVersion?)
        /// It was changed later, by this revision.
        case changedLater(Revision)
    }

    /// What becomes of a node.
    /// - Parameter versions: its versions, the newest first: all of them, or at least those of the revisions, and
    ///   one before.
    /// - Returns: What is to be done.
    func verdict(_ versions: [NodeVersion]) -> Verdict {
        let events = Self.events(versions)
        guard let first = events.firstIndex(where: { revisions.contains($0.revision) }) else { return .nothing }
        let end = events[first...].firstIndex { !revisions.contains($0.revision) } ?? events.count
        let earlier = end < events.count ? events[end].version : nil
        if first > 0 {
            let isUndone = events[0].version?.record.state == earlier?.record.state
            return isUndone ? .nothing : .changedLater(events[0].revision)
        }
        return .restore(earlier)
    }

    private struct Event {
        let revision: Revision
        /// What the node was after it; nil for a removal.
        let version: NodeVersion?
    }

    /// What happened to a node, the newest first.
    private static func events(_ versions: [NodeVersion]) -> [Event] {
        var events: [Event] = []
        var follower: Revision?
        for version in versions {
            if let ended = version.ended, ended != follower { events.append(Event(revision: ended, version: nil)) }
            events.append(Event(revision: version.record.revision, version: version))
            follower = version.record.revision
        }
        return events
    }
}
