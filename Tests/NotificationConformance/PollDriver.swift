public import Model
public import Notifications

/// What a poll was told, as its device sees it.
public enum PollReply: Hashable, Sendable {
    /// These namespaces have news, in any order.
    case moved([MovedNamespace])
    /// Nothing: the time was over, another poll of the device took its place, or the server stops.
    case nothing
    /// The device was revoked.
    case revoked
    /// The device named a namespace that it may not see.
    case forbidden
    /// The server has too much to do.
    case refused(retryAfter: UInt32)
}

/// A poll that a driver was asked for and that may not have been answered yet.
public protocol OpenPoll: Sendable {
    /// What the poll was told, once it is. It is asked for once.
    func reply() async throws -> PollReply

    /// Goes away without waiting for the answer, as a client does that loses its connection. ``reply()`` is not asked for then.
    func hangUp() async
}

/// A way by which devices reach a desk, as the conformance suite uses it: a driver with its client.
public protocol PollDriver: Sendable {
    /// Makes a device whose account sees these namespaces and no others; the driver has to know it when it polls.
    func makeDevice(seeing namespaces: [NamespaceID]) async throws -> DeviceID

    /// Sends a poll of a device. It returns when the request is on its way; the suite looks at the desk to see it parked.
    func poll(device: DeviceID, cursors: [Cursor], timeout: UInt32) async throws -> any OpenPoll

    /// Stops the driver and lets everything go that it holds. All polls have ended by then.
    func stop() async throws
}
