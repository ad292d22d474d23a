import Foundation
public import Model
public import WireProtocol

extension APIClient {
    /// A rewind of a large tree is one request.
    private static let historyTimeout = Duration.seconds(3600)

    /// `GET /v1/history/{path}`: one page of the versions of what is and was at a path.
    /// - Parameters:
    ///   - path: The path.
    ///   - showsAll: Whether versions that are not kept are shown.
    ///   - node: Only this node.
    ///   - before: Only what is older than this revision.
    /// - Returns: The page.
    /// - Throws: ``ClientError``.
    public func versions(
        of path: RemotePath, showsAll: Bool, node: String? = nil, before: UInt64? = nil
    ) async throws -> VersionListing {
        let query =
            [
                showsAll ? "all=true" : nil, node.map { "node=\(PercentEncoding.segment($0))" },
                before.map { "before=\($0)" },
            ]
            .compactMap { $0 }.joined(separator: "&")
        return try await json("GET", "/v1/history/\(PercentEncoding.path(path))\(query.isEmpty ? "" : "?")\(query)")
    }

    /// `GET /v1/deleted/{path}`: one page of what was removed from a folder.
    public func deleted(_ path: RemotePath, after: String?, limit: Int) async throws -> DeletedListing {
        let start = after.map { "&after=\(PercentEncoding.segment($0))" } ?? ""
        return try await json("GET", "/v1/deleted/\(PercentEncoding.path(path))?limit=\(limit)\(start)")
    }

    /// `PUT /v1/pins/{path}`: names a version, nil for the present one.
    public func pin(_ path: RemotePath, at point: String?, name: String) async throws -> PinEntry {
        try await json("PUT", Self.address("pins", path, at: point), body: PinRequest(name: name))
    }

    /// `DELETE /v1/pins/{path}`: takes the name off a version, or off all for nil.
    public func unpin(_ path: RemotePath, at point: String?) async throws -> UnpinnedResponse {
        try await json("DELETE", Self.address("pins", path, at: point))
    }

    /// `POST /v1/restore`.
    public func restore(_ request: RestoreRequest) async throws -> HistoryAnswer {
        try await change("/v1/restore", request)
    }

    /// `POST /v1/rewind`.
    public func rewind(_ request: RewindRequest) async throws -> HistoryAnswer {
        try await change("/v1/rewind", request)
    }

    /// `POST /v1/undo`.
    public func undo(_ request: UndoRequest) async throws -> HistoryAnswer { try await change("/v1/undo", request) }

    private func change(_ path: String, _ body: some Encodable) async throws -> HistoryAnswer {
        var exchange = try Self.jsonExchange("POST", path, body: body)
        exchange.timeout = Self.historyTimeout
        let answer = try await perform(exchange)
        do {
            return try JSONDecoder().decode(HistoryAnswer.self, from: Data(try MessageCodec.unpack(answer)))
        } catch let error as DecodingError {
            throw ClientError(.protocolViolation, "the answer to \(path) can't be read: \(error)")
        }
    }

    /// The address of a route for a path, as it was at some point.
    static func address(_ route: String, _ path: RemotePath, at point: String?) -> String {
        let query = point.map { "?at=\(PercentEncoding.segment($0))" } ?? ""
        return "/v1/\(route)/\(PercentEncoding.path(path))\(query)"
    }
}
