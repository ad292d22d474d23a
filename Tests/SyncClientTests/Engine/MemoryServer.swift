import Blocks
import Model
import Synchronization
import WireProtocol

@testable import SyncClient

/// A server in memory, with the real rules of commits, that can be told to fail at any call.
final class MemoryServer: SyncServer {
    /// One call, for faults and for counting.
    enum Call: Hashable {
        case submit, withdraw, storePages, storeBlocks, missing, fetchBlocks, fetchPages, changes, poll, pollToken
    }

    /// When a fault hits: before anything was done, or after all was done and only the answer is lost.
    enum Moment { case before, after }

    struct State {
        var journal = MemoryJournal()
        var blocks: [BlockID: EncodedBlock] = [:]
        var pages: [PageID: [UInt8]] = [:]
        var pending: [UploadID: UploadRequest] = [:]
        /// The ids of pending uploads, oldest first.
        var order: [UploadID] = []
        var withdrawn: Set<UploadID> = []
        var calls: [Call: Int] = [:]
        var storedBlocks = 0
        var storedBytes = 0
        var sentPages = 0
        /// Pages that were new here.
        var keptPages = 0
        /// Blocks that were sent although they were here.
        var sentTwice = 0
        var fault: (@Sendable (Call, Int, Moment) throws -> Void)?
        /// Blocks that lie in the archive, for so long.
        var archived: [BlockID: Duration] = [:]
        /// What is answered when somebody asks for a poll token; nil as an older server does.
        var pollToken: PollTokenResponse?
        /// Where polls went.
        var places: [PollPlace] = []
        /// Notification servers that do not answer.
        var deadServers: Set<String> = []
    }

    let namespace = NamespaceID(high: 7, low: 7)
    let state = Mutex(State())

    /// Sets what happens at every call: `fault(call, its number over all calls, moment)` may throw.
    func setFault(_ fault: (@Sendable (Call, Int, Moment) throws -> Void)?) {
        state.withLock { $0.fault = fault }
    }

    var head: Head { state.withLock { $0.journal.head(of: namespace) } }

    func resetCounts() {
        state.withLock {
            $0.calls = [:]
            $0.storedBlocks = 0
            $0.storedBytes = 0
            $0.sentPages = 0
            $0.keptPages = 0
            $0.sentTwice = 0
        }
    }

    func count(_ call: Call) -> Int { state.withLock { $0.calls[call] ?? 0 } }

    var totalCalls: Int { state.withLock { $0.calls.values.reduce(0, +) } }

    private func perform<Answer>(_ call: Call, _ body: (inout State) throws -> Answer) throws -> Answer {
        let (fault, number) = state.withLock { state in
            state.calls[call, default: 0] += 1
            return (state.fault, state.calls.values.reduce(0, +))
        }
        try fault?(call, number, .before)
        let answer = try state.withLock { try body(&$0) }
        try fault?(call, number, .after)
        return answer
    }

    // MARK: SyncServer

    var traffic: Traffic { Traffic(requests: UInt64(totalCalls)) }

    func submit(_ request: UploadRequest, to namespace: NamespaceID) async throws -> UploadOutcome {
        try perform(.submit) { state in
            if let done = state.journal.outcome(of: request.upload) { return done }
            try Self.check(request.upload, in: state)
            for block in request.blocks { try Self.keep(block, in: &state) }
            try Self.keep(request.pages, in: &state)
            if state.pending.updateValue(request, forKey: request.upload) == nil { state.order.append(request.upload) }
            return Self.settle(request, in: &state)
        }
    }

    func withdraw(_ upload: UploadID) async throws -> UploadOutcome? {
        try perform(.withdraw) { state in
            if let done = state.journal.outcome(of: upload) { return done }
            state.pending[upload] = nil
            state.withdrawn.insert(upload)
            return nil
        }
    }

    private static func check(_ upload: UploadID, in state: State) throws {
        if state.withdrawn.contains(upload) { throw ClientError(.superseded, "the upload was withdrawn") }
    }

    func store(pages: [[UInt8]], of upload: UploadID) async throws -> [BlockID] {
        try perform(.storePages) { state in
            try Self.check(upload, in: state)
            try Self.keep(pages, in: &state)
            var missing: [BlockID] = []
            for page in try pages.map(RecipePage.init(decoding:)) where page.level == 1 {
                missing += page.blocks.map(\.block).filter { state.blocks[$0] == nil }
            }
            return missing
        }
    }

    func store(blocks: [EncodedBlock], of upload: UploadID) async throws -> StoredResponse {
        try perform(.storeBlocks) { state in
            try Self.check(upload, in: state)
            let before = state.blocks.count
            for block in blocks { try Self.keep(block, in: &state) }
            // A block completes every upload that waited for it, whoever sent it, in the order of their announcements.
            for id in state.order { _ = state.pending[id].map { Self.settle($0, in: &state) } }
            state.order.removeAll { state.pending[$0] == nil }
            let outcome = state.journal.outcome(of: upload)
            return StoredResponse(added: state.blocks.count - before, outcome: outcome)
        }
    }

    func missing(of blocks: [BlockID]) async throws -> [BlockID] {
        try perform(.missing) { state in blocks.filter { state.blocks[$0] == nil || state.archived[$0] != nil } }
    }

    func fetch(blocks: [BlockID]) async throws -> [EncodedBlock] {
        try perform(.fetchBlocks) { state in
            if let wait = blocks.compactMap({ state.archived[$0] }).max() {
                throw ClientError(.thawing, "in the archive").retrying(after: wait)
            }
            return try blocks.map { id in
                guard let block = state.blocks[id] else { throw ClientError(.notOnServer, "no block \(id)") }
                return block
            }
        }
    }

    func fetch(pages: [PageQuestion.Item]) async throws -> [[UInt8]] {
        try perform(.fetchPages) { state in
            var found: [[UInt8]] = []
            for item in pages {
                found += try RecipeDifference.newPages(of: item.want, since: item.have) { id in
                    guard let page = state.pages[id] else { throw ClientError(.notOnServer, "no page \(id)") }
                    return page
                }.map(\.encoded)
            }
            state.sentPages += found.count
            return found
        }
    }

    func changes(
        in namespace: NamespaceID, since: Revision, upTo: Revision?, after: ChangesPosition?
    ) async throws -> ChangesResponse {
        try perform(.changes) {
            try $0.journal.changes(in: namespace, since: since, upTo: upTo, after: after, limit: 500)
        }
    }

    var isSecure: Bool { false }

    func pollToken() async throws -> PollTokenResponse? { try perform(.pollToken) { $0.pollToken } }

    func poll(_ request: PollRequest, at place: PollPlace) async throws -> PollResponse {
        try perform(.poll) { state in
            state.places.append(place)
            if let server = place.server, state.deadServers.contains(server) {
                throw ClientError(.unreachable, "\(server) can't be reached")
            }
            let head = state.journal.head(of: namespace)
            guard let cursor = request.cursors.first, head.revision > cursor.revision else {
                return PollResponse(moved: [])
            }
            return PollResponse(
                moved: [.init(namespace: head.namespace, revision: head.revision, pending: false)])
        }
    }

    func pendingUploads(in namespace: NamespaceID) async throws -> [PendingEntry] { [] }

    // MARK: Rules

    private static func keep(_ block: EncodedBlock, in state: inout State) throws {
        _ = try BlockDecoder().decode(block)  // a block that is not what its name says is refused, as by the real one
        if state.blocks.updateValue(block, forKey: block.id) == nil {
            state.storedBlocks += 1
            state.storedBytes += block.length
        } else {
            state.sentTwice += 1
        }
    }

    private static func keep(_ pages: [[UInt8]], in state: inout State) throws {
        for page in pages {
            let read = try RecipePage(decoding: page)
            if state.pages.updateValue(page, forKey: read.id) == nil { state.keptPages += 1 }
        }
    }

    /// Commits when all is there.
    private static func settle(_ request: UploadRequest, in state: inout State) -> UploadOutcome {
        guard request.complete else { return .pending(missingBlocks: [], missingPages: []) }
        var blocks: [BlockID] = []
        var pages: [PageID] = []
        for case .file(let content)? in request.changes.map({ $0.state?.payload }) where content.size > 0 {
            missing(of: content.id, in: state, blocks: &blocks, pages: &pages)
        }
        if !blocks.isEmpty || !pages.isEmpty { return .pending(missingBlocks: blocks, missingPages: pages) }
        state.pending[request.upload] = nil
        return state.journal.commit(request)
    }

    private static func missing(
        of content: ContentID, in state: State, blocks: inout [BlockID], pages: inout [PageID]
    ) {
        if let block = content.block {
            if state.blocks[block] == nil { blocks.append(block) }
            return
        }
        var open = content.page.map { [$0] } ?? []
        while let id = open.popLast() {
            guard let bytes = state.pages[id], let page = try? RecipePage(decoding: bytes) else {
                pages.append(id)
                continue
            }
            blocks += page.blocks.map(\.block).filter { state.blocks[$0] == nil }
            open += page.children.map(\.child)
        }
    }
}
