import Model

@testable import Notifications

extension NotificationHub {
    /// Holds a hub where something copyable is wanted: in a history, and in an expectation.
    final class Box {
        var hub: NotificationHub
        private var ended: [Ended] = []

        init(_ hub: consuming NotificationHub) { self.hub = hub }

        var count: Int { hub.count }
        var cursorCount: Int { hub.cursorCount }
        var namespaceCount: Int { hub.namespaceCount }
        var unreadCount: Int { hub.unreadCount }
        var hasUnread: Bool { hub.hasUnread }
        var bytesInUse: Int { hub.bytesInUse }

        /// Takes a step; what it ended.
        func step(_ body: (inout NotificationHub, inout [Ended]) -> Void) -> [Ended] {
            ended.removeAll(keepingCapacity: true)
            body(&hub, &ended)
            return ended
        }

        func nextUnread(atMost count: Int) -> [NamespaceID] { hub.nextUnread(atMost: count) }

        func unread(_ namespaces: [NamespaceID]) { hub.unread(namespaces) }

        func isRevoked(_ device: DeviceID) -> Bool { hub.isRevoked(device) }
    }
}
