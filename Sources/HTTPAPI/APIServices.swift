public import Files
import Logging
import Model
public import Notifications

/// What the routes work with: the use cases, made once for a process.
public struct APIServices: Sendable {
    let context: FilesContext
    let notifications: NotificationService
    let queue: QueueDesk?
    let metrics: PrometheusRegistry
    let limits: APILimits
    let pollServers: [String]
    let readiness: Readiness
    let eventStreams: EventStreams
    let probe: @Sendable () async -> [Sample]

    let logIn: LogIn
    let authenticate: AuthenticateDevice
    let completion: any UploadCompletion

    /// Makes the services. `/metrics` shows what is counted in `metrics`, and what `probe` answers when it is asked. Devices
    /// that ask for a poll token are told to poll at `pollServers`: base URLs, none for this server itself. Without a `queue`
    /// devices that come back read from their cursors. `readiness` says when the process is about to stop.
    /// - Throws: when a password can't be hashed.
    public init(
        context: FilesContext, notifications: NotificationService, queue: QueueDesk? = nil, metrics: PrometheusRegistry,
        limits: APILimits = APILimits(), pollServers: [String] = [], readiness: Readiness = Readiness(),
        probe: @escaping @Sendable () async -> [Sample] = { [] }
    ) throws {
        self.context = context
        self.notifications = notifications
        self.queue = queue
        self.metrics = metrics
        self.limits = limits
        self.pollServers = pollServers
        self.readiness = readiness
        eventStreams = EventStreams(bus: context.bus, capacity: limits.eventStreams)
        self.probe = probe
        logIn = try LogIn(context)
        authenticate = AuthenticateDevice(context)
        completion = CompleteUpload(context)
    }
}

/// The bounds of requests, in bytes unless they say otherwise.
public struct APILimits: Hashable, Sendable {
    /// A JSON body.
    public var json = 64 << 10
    /// A question: names of blocks, cursors, recipes.
    public var question = 1 << 20
    /// A message with blocks or pages in it, decompressed.
    public var message = 32 << 20
    /// A file that is sent as a whole.
    public var file: UInt64 = 1 << 40
    /// The longest poll, in seconds.
    public var poll: UInt32 = 600
    /// How many streams of events may be open.
    public var eventStreams = 1000
    /// After how many seconds without news a stream of events says that it is there still.
    public var heartbeat: UInt32 = 15
    /// For how many seconds a connection may be idle.
    public var idle: Int64 = 120

    /// Makes the default bounds.
    public init() {}
}
