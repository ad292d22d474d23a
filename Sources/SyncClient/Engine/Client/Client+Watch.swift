public import ServiceLifecycle

extension Client {
    /// What keeps all linked folders in sync until it is stopped: services for a `ServiceGroup`.
    /// - Parameter report: Takes what happens, from any task.
    /// - Returns: One service for each folder, one that waits for the server's news, and one that asks what was missed.
    /// - Throws: ``ClientError``; `usage` when no folder is linked, `busy` while another process works on one of them.
    public func watchServices(report: @escaping @Sendable (WatchEvent) -> Void) async throws -> [any Service] {
        let folders = try await links()
        if folders.isEmpty {
            throw ClientError(.usage, "no folder is linked: 'cairn sync FOLDER' links one")
        }
        var services: [any Service] = []
        var listeners: [RemoteWatch.Listener] = []
        for folder in folders {
            let inbox = WatchInbox()
            services.append(
                LinkWatch(engine: try engine(folder), context: context(), inbox: inbox, report: report))
            listeners.append(.init(link: folder.id, inbox: inbox))
        }
        services.append(RemoteWatch(context: context(), listeners: listeners))
        services.append(QueueWatch(context: context(), server: server, listeners: listeners))
        return services
    }
}
