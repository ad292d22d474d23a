import Files
import HTTPTypes
import Hummingbird
import Model
import WireProtocol

/// What brings earlier states back: restore, rewind, undo.
struct RewindRoutes {
    let services: APIServices

    func add(to routes: RouteTable) {
        routes.path("/v1/restore", [.post: { [self] in try await restore($0, $1) }])
        routes.path("/v1/rewind", [.post: { [self] in try await rewind($0, $1) }])
        routes.path("/v1/undo", [.post: { [self] in try await undo($0, $1) }])
    }

    private func restore(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let body = try await request.json(RestoreRequest.self, atMost: services.limits.json)
        let caller = try context.caller
        let isDry = body.dryRun ?? false
        let outcome = try await RestoreVersion(services.context)(
            RequestPath.decode(body.path), at: try body.at.map { try PastPoints.read($0, "at") },
            to: try body.to.map(RequestPath.decode), dryRun: isDry, in: caller.home, by: caller)
        return try answer(outcome, isDry: isDry)
    }

    private func rewind(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let body = try await request.json(RewindRequest.self, atMost: services.limits.json)
        let caller = try context.caller
        let isDry = body.dryRun ?? false
        let outcome = try await RewindTree(services.context)(
            RequestPath.decode(body.path), to: try PastPoints.read(body.at, "at"), dryRun: isDry, in: caller.home,
            by: caller)
        return try answer(outcome, isDry: isDry)
    }

    private func undo(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let body = try await request.json(UndoRequest.self, atMost: services.limits.json)
        let caller = try context.caller
        let isDry = body.dryRun ?? false
        let scope = UndoDevice.Scope(
            device: body.device, since: try PastPoints.moment(body.since, "since"),
            until: try body.until.map { try PastPoints.moment($0, "until") },
            path: try body.path.map(RequestPath.decode) ?? .root)
        let outcome = try await UndoDevice(services.context)(scope, dryRun: isDry, in: caller.home, by: caller)
        return try answer(outcome, isDry: isDry)
    }

    private func answer(_ outcome: HistoryOutcome, isDry: Bool) throws -> Response {
        try Replies.json(
            HistoryAnswer(
                revision: outcome.head.revision.number, source: outcome.revision?.number, dryRun: isDry,
                commits: outcome.commits, changed: outcome.changeCount,
                changes: outcome.changes.map { change in
                    HistoryChangeEntry(
                        path: change.path.description, kind: change.kind.rawValue, to: change.to?.description)
                },
                leftCount: outcome.leftCount,
                left: outcome.left.map { node in
                    LeftEntry(path: node.path.description, reason: node.reason.code, detail: node.reason.detail)
                }))
    }
}

extension LeftReason {
    /// The stable word of the protocol.
    fileprivate var code: String {
        switch self {
        case .notKept: "not_kept"
        case .nameTaken: "name_taken"
        case .folderMissing: "folder_missing"
        case .folderNotEmpty: "folder_not_empty"
        case .cycle: "cycle"
        case .changedLater: "changed_later"
        case .movedAway: "moved_away"
        }
    }

    /// The reason for people.
    fileprivate var detail: String {
        switch self {
        case .notKept: "the bytes of that version are not kept"
        case .nameTaken: "another node has that name now"
        case .folderMissing: "the folder around it is not there"
        case .folderNotEmpty: "something in the folder stays"
        case .cycle: "the folder would be within itself"
        case .changedLater(let revision): "it was changed later, by revision \(revision)"
        case .movedAway: "it is in another folder now"
        }
    }
}
