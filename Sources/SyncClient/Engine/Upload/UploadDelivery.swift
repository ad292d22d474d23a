import Blocks
import Model
import SyncPlanning
import WireProtocol

/// Brings one set of changes to its commit: announces it, sends what the server lacks, and settles what was committed.
struct UploadDelivery {
    let context: EngineContext
    let link: EngineLink
    let folder: LinkedFolder
    let upload: PreparedUpload
    let id: UploadID

    private var sender: BlockSender { BlockSender(context: context, folder: folder) }
    private var changes: [NodeChange] { upload.changes.map { link.map.outward($0) } }

    /// How often the server may ask for something more.
    private static let rounds = 8

    /// - Returns: The revision that it became; nil when it was refused.
    /// - Throws: ``ClientError``. If the content of a file is at fault, or the account is full, the upload was withdrawn.
    func run() async throws -> Revision? {
        try await note()
        do {
            return try await deliver()
        } catch let error as ClientError where error.code == .superseded {
            try await forget()
            return nil
        } catch let error as ClientError where error.concernsContent || error.code == .overQuota {
            if let revision = try await UploadWithdrawal(context: context, link: link, id: id).run(upload.changes) {
                return revision
            }
            throw error
        }
    }

    private func deliver() async throws -> Revision? {
        if !upload.large.isEmpty { try await sendWindows() }
        var request = UploadRequest(upload: id, changes: changes, pages: upload.pages, blocks: upload.blocks)
        var outcome = try await context.server.submit(request, to: link.namespace)
        context.counter.add(upload.blocks.count, to: \.blocksSent)
        context.counter.add(upload.known, to: \.blocksKnown)
        try context.step(.uploadAnnounced)
        for _ in 0..<Self.rounds {
            switch outcome {
            case .committed(let revision, let hash):
                try context.step(.committed)
                try await settle(Head(namespace: link.namespace, revision: revision, hash: hash))
                return revision
            case .refused:
                try await forget()
                return nil
            case .pending(let blocks, let pages):
                request.blocks = []
                request.pages = pages.isEmpty ? [] : try await context.onWorker { try allPages(pages) }
                let answer = try await sender.send(try await locations(of: blocks), of: id)
                outcome =
                    if let answer, pages.isEmpty { answer } else {
                        try await context.server.submit(request, to: link.namespace)
                    }
            }
        }
        throw ClientError(.protocolViolation, "the server asks again and again for what it was sent")
    }

    /// Notes the upload before the server hears of it: should its answer get lost, the same id is asked again.
    private func note() async throws {
        let request = try UploadRequest(upload: id, changes: upload.changes).encoded()
        let row = InFlightUpload(id: id, link: link.id, created: context.clock.now(), request: request)
        try await context.onWorker { try context.database.write { try UploadQueries($0).put(row) } }
        try context.step(.uploadNoted)
    }

    private func forget() async throws {
        try await context.onWorker { try context.database.write { try UploadQueries($0).remove(id) } }
    }

    private func settle(_ head: Head) async throws {
        try await context.onWorker {
            try CommitSettlement(database: context.database, link: link.id).settle(
                id, upload.changes, at: head)
        }
        context.counter.add(upload.changes.count, to: \.changesSent)
        try context.step(.commitSettled)
    }

    // MARK: What the server lacks

    private func sendWindows() async throws {
        let items = upload.changes.compactMap { change -> UploadItem? in
            guard let state = change.state, let content = state.payload.content else { return nil }
            let outward = link.map.outward(state)
            return UploadItem(node: change.node, parent: outward.parent, name: outward.name, size: content.size)
        }
        let announcement = UploadRequest(upload: id, complete: false, items: items)
        // Sent before in an earlier run, it may be complete by now: the full request will tell.
        _ = try await context.server.submit(announcement, to: link.namespace)
        try context.step(.uploadAnnounced)
        for content in upload.large {
            try await WindowedUpload(context: context, sender: sender, id: id, content: content).run()
        }
    }

    /// Where blocks are that the server lacks. Most were expected; for what was thought to be there, all recipes of the
    /// upload are looked through.
    private func locations(of blocks: [BlockID]) async throws -> [BlockLocation] {
        var found: [BlockLocation] = []
        var unexpected: Set<BlockID> = []
        for block in blocks {
            if let location = upload.locations[block] { found.append(location) } else { unexpected.insert(block) }
        }
        if !unexpected.isEmpty { found += try await context.onWorker { [unexpected] in try search(unexpected) } }
        // Each file is opened once, and read from its beginning to its end.
        return found.sorted { left, right in
            left.file.path == right.file.path
                ? left.offset < right.offset
                : left.file.path.bytes.lexicographicallyPrecedes(right.file.path.bytes)
        }
    }

    private func search(_ blocks: Set<BlockID>) throws -> [BlockLocation] {
        var missing = blocks
        var found: [BlockLocation] = []
        try context.database.read { connection in
            for (file, content) in upload.contents {
                func take(_ entry: RecipeEntry, _ offset: UInt64) {
                    if missing.remove(entry.block) != nil {
                        found.append(BlockLocation(file: file, entry: entry, offset: offset))
                    }
                }
                if let block = content.id.block {
                    take(RecipeEntry(block: block, length: UInt32(content.size)), 0)
                } else {
                    _ = try RecipeQueries(connection).forEachEntry(of: content.id, take)
                }
            }
        }
        if let block = missing.first {
            throw ClientError(.protocolViolation, "the server lacks block \(block), which no file that is sent has")
        }
        return found
    }

    private func allPages(_ wanted: [PageID]) throws -> [[UInt8]] {
        var wanted = Set(wanted)
        var pages: [[UInt8]] = []
        try context.database.read { connection in
            for (_, content) in upload.contents where content.id.level > 0 {
                _ = try RecipeQueries(connection).forEachPage(of: content.id) {
                    if wanted.remove($0.id) != nil { pages.append($0.encoded) }
                }
            }
        }
        return Array(pages.prefix(WireLimits.maximumPages))
    }
}

extension ClientError {
    /// Whether a file is no longer what its change says: the change is not to be committed.
    var concernsContent: Bool { code == .unstable || code == .changedMeanwhile }
}
