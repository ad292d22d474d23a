import Blocks
import Model
import SyncPlanning

/// Builds the files that a portion of steps will place.
///
/// Blocks come from the file itself as far as an earlier run has built it, else from anywhere on this disk, else from
/// the server. A file that can't be built is left out with its reason; the others go on.
struct FileBuilding {
    let context: EngineContext
    let applier: ApplierBox

    /// What the task at work knows.
    private final class Work {
        var targets: [BlockTarget] = []
        var failures: [NodeID: ClientError] = [:]
        var wanted: [WantedBlock] = []
        var wantedBytes = 0
    }

    func run(
        _ actions: ArraySlice<LocalAction>
    ) async throws -> (files: [NodeID: StagedFile], failures: [NodeID: ClientError]) {
        let work = Work()
        let thawing = ThawingFiles()
        let fetcher = BlockFetcher(context: context, thawing: thawing)
        let source = try await context.onWorker { BlockSourceBox(try BlockSource(database: context.database)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            func flush(atLeast length: Int) async throws {
                guard work.wantedBytes >= length || work.wanted.count >= BlockFetcher.batchCount,
                    !work.wanted.isEmpty
                else { return }
                if running == context.limits.requests {
                    try await group.next()
                    running -= 1
                }
                let batch = work.wanted
                work.wanted = []
                work.wantedBytes = 0
                group.addTask { try await fetcher.fetch(batch) }
                running += 1
            }
            var small: [LocalAction] = []
            var smallBytes: UInt64 = 0
            func flushSmall() async throws {
                try await begin(small, source, work)
                small = []
                smallBytes = 0
                try await flush(atLeast: context.limits.batchLength)
            }
            for action in actions {
                guard case .placeFile(let state) = action.step else { continue }
                if let content = action.placedContent, content.id.level == 0 {
                    small.append(action)
                    smallBytes += content.size
                    if smallBytes >= context.limits.batchLength || small.count >= Self.mostSmall {
                        try await flushSmall()
                    }
                    continue
                }
                do {
                    let target = try await begin(action, state)
                    try await fill(target, state, old: action.before?.state?.payload.content, source, work, flush)
                    work.targets.append(target)
                } catch let error as ClientError where error.concernsOneFile {
                    work.failures[action.node] = error
                }
            }
            try await flushSmall()
            try await flush(atLeast: 0)
            try await group.waitForAll()
        }
        return try await finish(work, thawing)
    }

    private func begin(_ action: LocalAction, _ state: NodeState) async throws -> BlockTarget {
        try await context.onWorker { try BlockTarget(action, state, applier: applier) }
    }

    /// Most files of one block that are begun together.
    private static let mostSmall = 512

    /// Begins files of one block or none, many in one go on one thread, and fills those whose block is on this disk.
    private func begin(_ actions: [LocalAction], _ source: BlockSourceBox, _ work: Work) async throws {
        if actions.isEmpty { return }
        let begun = try await context.onWorker {
            try context.database.readingMuch { try actions.map { try begin($0, source) } }
        }
        for (action, result) in zip(actions, begun) {
            switch result {
            case .failure(let error): work.failures[action.node] = error
            case .success(let (target, missing)):
                work.targets.append(target)
                work.wanted += missing
                work.wantedBytes += missing.reduce(0) { $0 + Int($1.entry.length) }
                guard missing.isEmpty, let size = action.placedContent?.size, size > 0 else { continue }
                context.counter.add(to: \.blocksReused)
                context.progress.advance(bytes: size)
            }
        }
    }

    private func begin(
        _ action: LocalAction, _ source: BlockSourceBox
    ) throws -> Result<(BlockTarget, [WantedBlock]), ClientError> {
        guard case .placeFile(let state) = action.step, let content = action.placedContent else {
            return .failure(ClientError(.corrupt, "a step that places no file is to be built"))
        }
        do {
            let target = try BlockTarget(action, state, applier: applier)
            guard let block = content.id.block, content.size > 0 else { return .success((target, [])) }
            let entry = RecipeEntry(block: block, length: UInt32(clamping: content.size))
            return .success((target, try source.fill([(entry, 0)], of: target)))
        } catch let error as ClientError where error.concernsOneFile {
            return .failure(error)
        }
    }

    private func fill(
        _ target: BlockTarget, _ state: NodeState, old: Content?, _ source: BlockSourceBox, _ work: Work,
        _ flush: (Int) async throws -> Void
    ) async throws {
        guard let content = state.payload.content, content.size > 0 else { return }
        var recipe = try await RecipeFetch(context: context, link: applier.link, content: content, old: old)
        while let entries = try await recipe.next() {
            // A part of 1,024 entries may be 128 MiB: what is wanted of it is asked for in smaller batches.
            for start in stride(from: 0, to: entries.count, by: 64) {
                let part = entries[start..<min(start + 64, entries.count)]
                let missing = try await context.onWorker { try source.fill(part, of: target) }
                let reused = part.count - missing.count
                context.counter.add(reused, to: \.blocksReused)
                context.progress.advance(
                    bytes: part.reduce(0) { $0 + UInt64($1.entry.length) }
                        - missing.reduce(0) { $0 + UInt64($1.entry.length) })
                work.wanted += missing
                work.wantedBytes += missing.reduce(0) { $0 + Int($1.entry.length) }
                try await flush(context.limits.batchLength)
            }
        }
    }

    private func finish(
        _ work: Work, _ thawing: ThawingFiles
    ) async throws -> (files: [NodeID: StagedFile], failures: [NodeID: ClientError]) {
        let (targets, failures) = (work.targets, work.failures)
        let result = try await context.onWorker {
            var files: [NodeID: StagedFile] = [:]
            var failures = failures
            for target in targets {
                do {
                    files[target.node] = try target.finish()
                } catch let error as ClientError where error.concernsOneFile {
                    failures[target.node] = thawing.error(of: target.node) ?? error
                }
            }
            return (files, failures)
        }
        try context.step(.fileStaged)
        return result
    }
}

/// The source of local blocks, handed from thread to thread. `@unchecked`: used under its lock.
final class BlockSourceBox: @unchecked Sendable {
    private let source: BlockSource
    private let lock = ThreadLock()

    init(_ source: BlockSource) {
        self.source = source
    }

    /// Writes the blocks of a file that are on this disk.
    /// - Returns: Those that are not.
    func fill(
        _ entries: ArraySlice<(entry: RecipeEntry, offset: UInt64)>, of target: BlockTarget
    ) throws -> [WantedBlock] {
        try lock.with {
            try entries.compactMap { entry, offset in
                if target.isResumed, try target.contains(entry, at: offset) { return nil }
                let isHere = try withUnsafeTemporaryAllocation(
                    byteCount: Int(entry.length), alignment: 16
                ) { buffer in
                    guard try source.read(entry, into: buffer) else { return false }
                    try target.write(UnsafeRawBufferPointer(buffer), at: offset)
                    return true
                }
                return isHere ? nil : WantedBlock(entry: entry, offset: offset, target: target)
            }
        }
    }
}

extension ClientError {
    /// Whether other files can be built although this one can't.
    var concernsOneFile: Bool {
        switch code {
        case .notOnServer, .serverCorrupt, .thawing, .nameTooLong, .permissionDenied, .blockMissing, .corrupt, .io,
            .notFound:
            true
        default: false
        }
    }
}
