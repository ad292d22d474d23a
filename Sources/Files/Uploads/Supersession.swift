import Metadata
import Model
import WireProtocol

/// What a device meant before gives way to what it means now: its pending uploads that touch what a newer request of it
/// touches are ended, so that an abandoned one can't commit later and beat the newer state.
struct Supersession {
    private struct Place: Hashable {
        let parent: NodeID
        let name: NodeName
    }

    private let upload: UploadID
    private let nodes: Set<NodeID>
    private let places: Set<Place>

    /// Looks at what a request touches: its nodes, and the names that it gives to them.
    init(_ request: UploadRequest) {
        upload = request.upload
        nodes = Set(request.changes.map(\.node)).union(request.items.map(\.node))
        places = Set(Self.places(of: request.changes))
            .union(request.items.map { Place(parent: $0.parent, name: $0.name) })
    }

    /// Ends the older uploads, in the transaction in which the request takes effect.
    /// - Returns: how many were ended.
    /// - Complexity: O(changes of the device's pending uploads).
    func run(_ connection: any MetadataConnection, in namespace: NamespaceID, of device: DeviceID) throws -> Int {
        let uploads = UploadQueries(connection)
        let older = try uploads.pending(in: namespace, of: device).filter { try $0.id != upload && isTouched($0) }
        for record in older { try uploads.setState(record.id, .superseded) }
        return older.count
    }

    private func isTouched(_ record: UploadRecord) throws -> Bool {
        let changes = try record.changes.map(ChangeSet.decode) ?? []
        return changes.contains { nodes.contains($0.node) }
            || record.items.contains { nodes.contains($0.node) }
            || Self.places(of: changes).contains(where: places.contains)
            || record.items.contains { places.contains(Place(parent: $0.parent, name: $0.name)) }
    }

    private static func places(of changes: [NodeChange]) -> [Place] {
        changes.compactMap { change in change.state.map { Place(parent: $0.parent, name: $0.name) } }
    }
}

extension UploadRecord {
    /// - Throws: ``FilesError``: `uploadSuperseded` for an upload that must never commit.
    func ensureNotWithdrawn() throws(FilesError) {
        guard state == .superseded || state == .withdrawn else { return }
        let reason = state == .superseded ? "a newer upload of this device took its place" : "it was withdrawn"
        throw FilesError(.uploadSuperseded, "upload \(id) will not be committed: \(reason)")
    }

    /// - Throws: ``FilesError``: `uploadSuperseded`, or `conflict` for an upload that ended otherwise.
    func ensurePending() throws(FilesError) {
        try ensureNotWithdrawn()
        guard state == .pending else {
            throw FilesError(.conflict, "upload \(id) has ended; send it again under a new id")
        }
    }
}
