import Model
import WireProtocol

/// What can be said of a request without looking at the database. A device may send anything.
enum UploadRules {
    static func check(_ request: UploadRequest) throws(FilesError) {
        if request.complete {
            guard !request.changes.isEmpty else {
                throw FilesError(.invalidRequest, "a complete upload has at least one change")
            }
            try checkChanges(request.changes)
        } else {
            guard request.changes.isEmpty, !request.items.isEmpty else {
                throw FilesError(.invalidRequest, "an announcement has items, and no changes yet")
            }
        }
        try checkItems(request.items)
    }

    private static func checkItems(_ items: [WireProtocol.UploadItem]) throws(FilesError) {
        guard Set(items.map(\.node)).count == items.count else {
            throw FilesError(.invalidRequest, "an upload announces a node twice")
        }
        for item in items {
            guard item.node != .root else { throw FilesError(.invalidRequest, "the root can't be uploaded") }
            guard item.size <= UInt64(Int64.max) else {
                throw FilesError(.invalidRequest, "'\(item.name)' can't have \(item.size) bytes")
            }
        }
    }

    private static func checkChanges(_ changes: [NodeChange]) throws(FilesError) {
        guard changes.count <= WireLimits.maximumChanges else {
            throw FilesError(.tooLarge, "\(changes.count) changes; at most \(WireLimits.maximumChanges) are allowed")
        }
        guard Set(changes.map(\.node)).count == changes.count else {
            throw FilesError(.invalidRequest, "an upload changes a node twice")
        }
        for change in changes {
            guard change.node != .root else { throw FilesError(.invalidRequest, "the root can't be changed") }
            guard change.base.number <= UInt64(Int64.max) else {
                throw FilesError(.invalidRequest, "there is no revision \(change.base)")
            }
            guard let state = change.state else { continue }
            try check(state)
        }
    }

    private static func check(_ state: NodeState) throws(FilesError) {
        guard state.mode <= 0o7777 else {
            throw FilesError(.invalidRequest, "'\(state.name)' has the mode \(String(state.mode, radix: 8))")
        }
        switch state.payload {
        case .folder: break
        case .symlink(let target):
            guard (1...WireLimits.maximumTargetLength).contains(target.count), !target.contains(0) else {
                throw FilesError(.invalidRequest, "'\(state.name)' points to \(target.count) bytes that are no path")
            }
        case .file(let content): try check(content, state.name)
        }
    }

    private static func check(_ content: Content, _ name: NodeName) throws(FilesError) {
        if content.size == 0 {
            guard content == .empty else {
                throw FilesError(.invalidRequest, "'\(name)' is empty, but its content is not that of nothing")
            }
            return
        }
        guard content.size <= UInt64(Int64.max) else {
            throw FilesError(.invalidRequest, "'\(name)' can't have \(content.size) bytes")
        }
        if content.id.level == 0 {
            guard content.size <= UInt64(WireLimits.maximumBlockLength) else {
                throw FilesError(.invalidRequest, "'\(name)' is one block of \(content.size) bytes")
            }
            guard content.id != Content.empty.id else {
                throw FilesError(.invalidRequest, "'\(name)' has \(content.size) bytes, but the content of nothing")
            }
        }
    }
}
