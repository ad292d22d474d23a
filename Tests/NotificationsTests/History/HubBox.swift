@testable import Notifications

extension NotificationHub {
    /// Holds a hub where something copyable is wanted.
    final class Box {
        var hub: NotificationHub
        private var ended: [Ended] = []

        init(_ hub: consuming NotificationHub) { self.hub = hub }

        /// Takes a step; what it ended.
        func step(_ body: (inout NotificationHub, inout [Ended]) -> Void) -> [Ended] {
            ended.removeAll(keepingCapacity: true)
            body(&hub, &ended)
            return ended
        }
    }
}
