import Model
import Synchronization
public import WireProtocol

/// One installation of the client: its account, its state and its linked folders.
///
/// Opened once a process. Calls may be made from any task; two of them never work on the same folder at a time.
public final class Client: Sendable {
    let home: ClientHome
    let credentials: Credentials
    let database: ClientDatabase
    let server: APIClient
    let workers: WorkerPool
    let clock: any WallClock
    let meter: TrafficMeter
    /// How far the pass that runs now is.
    public let progress = ProgressBoard()

    /// Threads for the disk, the database and the processor's work: enough to wait for a disk while two cores compute.
    private static let threads = 6

    /// Opens the client in its home.
    /// - Throws: ``ClientError``: `notLoggedIn` before a login, `stateTooNew` after a newer client.
    public convenience init(home: ClientHome) throws {
        // Before there are threads that would get arenas of their own.
        ProcessLimits.boundMemory()
        let credentials = try CredentialStore(home).require()
        let workers = WorkerPool(threads: Self.threads)
        try self.init(
            home: home, credentials: credentials, workers: workers,
            server: try APIClient(try credentials.transport(), workers: workers), clock: SystemWallClock())
    }

    init(
        home: ClientHome, credentials: Credentials, workers: WorkerPool, server: APIClient, clock: any WallClock
    ) throws {
        self.home = home
        self.credentials = credentials
        self.workers = workers
        self.server = server
        self.clock = clock
        meter = TrafficMeter(server)
        ProcessLimits.raiseOpenFiles()
        try home.prepare()
        database = try ClientDatabase(path: home.database)
    }

    /// Closes the connections and the state. To be called once, at the end.
    public func close() async throws {
        try await server.shutdown()
        try await workers.run { [database] _ in try database.close() }
    }

    /// Runs a body on a worker thread.
    func onWorker<Answer: Sendable>(_ body: @escaping @Sendable () throws -> Answer) async throws -> Answer {
        try await workers.run { _ in try body() }
    }

    func context() -> EngineContext {
        var context = EngineContext(
            database: database, server: server, workers: workers, clock: clock, device: credentials.device,
            progress: progress)
        context.limits.stepsInPortion = ProcessLimits.stepsInPortion
        return context
    }
}

// MARK: - Account

extension Client {
    /// Logs in and writes the credentials down.
    /// - Parameters:
    ///   - home: Where they go.
    ///   - server: The server's address.
    ///   - account: The account's name.
    ///   - password: The account's password, which is not kept.
    ///   - device: What this device shall be called.
    ///   - certificateAuthority: A PEM file to trust instead of the system's; nil for the system's.
    /// - Returns: The credentials, as they were written.
    /// - Throws: ``ClientError``; `usage` when this home belongs to another account and has linked folders.
    public static func logIn(
        home: ClientHome, server: String, account: String, password: String, device: String,
        certificateAuthority: String?
    ) async throws -> Credentials {
        let store = CredentialStore(home)
        let configuration = try TransportConfiguration(server: server, certificateAuthority: certificateAuthority)
        let client = try APIClient(configuration, workers: WorkerPool(threads: 1))
        let answer: LoginResponse
        do {
            answer = try await client.logIn(LoginRequest(account: account, password: password, device: device))
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
        let credentials = Credentials(
            server: configuration.server, certificateAuthority: certificateAuthority, account: account,
            device: device, deviceID: answer.deviceID, namespaceID: answer.namespaceID, token: answer.token)
        try rejectForeignLinks(home, try credentials.namespace)
        try store.save(credentials)
        return credentials
    }

    /// Linked folders belong to an account: another one's files must not be merged into them unasked.
    private static func rejectForeignLinks(_ home: ClientHome, _ namespace: NamespaceID) throws {
        try home.prepare()
        let database = try ClientDatabase(path: home.database)
        let links = try database.read { try LinkQueries($0).all() }
        try database.close()
        if let foreign = links.first(where: { $0.namespace != namespace }) {
            throw ClientError(
                .usage,
                "'\(foreign.folder)' is linked with another account: unlink it first, or use another home (--home)")
        }
    }

    /// Revokes the device's token and forgets the credentials.
    /// - Returns: Whether the server still knew the token.
    public func logOut() async throws -> Bool {
        var wasKnown = true
        do {
            try await server.logOut()
        } catch let error as ClientError where error.code == .unauthorized {
            wasKnown = false
        }
        try CredentialStore(home).remove()
        return wasKnown
    }

    /// The account's devices.
    public func devices() async throws -> [DeviceEntry] { try await server.devices() }

    /// Revokes a device of the account.
    public func revokeDevice(_ id: String) async throws { try await server.revokeDevice(id) }
}
