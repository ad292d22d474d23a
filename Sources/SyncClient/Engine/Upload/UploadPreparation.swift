import Blocks
import Model

/// Gathers the changes of a plan into commits, and works out what of their contents has to travel.
///
/// Runs on a worker thread.
struct UploadPreparation {
    let context: EngineContext
    let link: EngineLink
    let folder: LinkedFolder
    let groups: [[NodeChange]]

    /// What came of a part of the groups.
    struct Outcome: Sendable {
        var upload = PreparedUpload()
        /// The first group that is not in it, nor left out.
        var next = 0
        /// Groups that were left out, because a file in them is no longer what was planned.
        var problems: [Problem] = []
        var dirty: Set<LocalPath> = []
    }

    /// Takes groups from a place on until they fill a commit.
    func run(from first: Int, with encoder: BlockEncoder) throws -> Outcome {
        try context.database.readingMuch { try gather(from: first, with: encoder) }
    }

    private func gather(from first: Int, with encoder: BlockEncoder) throws -> Outcome {
        var outcome = Outcome(next: first)
        while outcome.next < groups.count, !outcome.upload.isFull(context.limits) {
            let group = groups[outcome.next]
            var piece = PreparedUpload()
            do {
                for change in group { try add(change, to: &piece, with: encoder) }
                // What is sent in windows takes long: small changes before it do not wait for it.
                if !piece.large.isEmpty, !outcome.upload.changes.isEmpty { return outcome }
                outcome.upload.append(piece)
                outcome.next += 1
            } catch let error as ClientError where !error.code.concernsState {
                // What follows may rest on what is left out: it shall not take what came before down with it.
                if !outcome.upload.changes.isEmpty { return outcome }
                leaveOut(group, error, &outcome)
            }
        }
        return outcome
    }

    private func leaveOut(_ group: [NodeChange], _ error: ClientError, _ outcome: inout Outcome) {
        outcome.next += 1
        for change in group {
            guard let path = try? path(of: change.node) else { continue }
            outcome.problems.append(Problem(path: path, error))
            outcome.dirty.insert(path.parent ?? .root)
        }
    }

    private func path(of node: NodeID) throws -> LocalPath? {
        try context.database.read { try LocalView($0, link: link.id).path(of: node, root: .root) }
    }

    private func add(_ change: NodeChange, to upload: inout PreparedUpload, with encoder: BlockEncoder) throws {
        upload.changes.append(change)
        guard let content = change.state?.payload.content, content.size > 0 else { return }
        let found = try context.database.read { try source(of: change, content, $0) }
        guard let (file, old) = found else { return }
        upload.contents.append((file, content))
        let stream: PageStream
        if let block = content.id.block {
            stream = PageStream(block: RecipeEntry(block: block, length: UInt32(content.size)))
        } else {
            guard let pages = try context.database.read({ try pages(of: content.id, since: old, $0) }) else {
                upload.large.append(.init(file: file, content: content, old: old))
                return
            }
            stream = pages
        }
        upload.pages += stream.pages.map(\.encoded)
        upload.known += stream.known
        let locations = stream.blocks.map { BlockLocation(file: file, entry: $0.entry, offset: $0.offset) }
        try attach(locations, to: &upload, with: encoder)
    }

    /// Has blocks ride along where they are few, else notes where they are.
    private func attach(
        _ locations: [BlockLocation], to upload: inout PreparedUpload, with encoder: BlockEncoder
    ) throws {
        let bytes = locations.reduce(0) { $0 + UInt64($1.entry.length) }
        upload.bytes += bytes
        var unique: [BlockLocation] = []
        for location in locations where upload.locations.updateValue(location, forKey: location.entry.block) == nil {
            unique.append(location)
        }
        guard bytes <= context.limits.inlineLength else { return }
        let blocks = try BlockSender(context: context, folder: folder).encode(unique[...], with: encoder)
        upload.blocks += blocks
        upload.inlineBytes += blocks.reduce(0) { $0 + $1.payload.count }
    }

    /// The file that a content is in, and the content that the server has of the node; nil when nothing has to be sent.
    private func source(
        of change: NodeChange, _ content: Content, _ connection: StateConnection
    ) throws -> (ContentFile, ContentID?)? {
        let synced = SyncedQueries(connection, link: link.id)
        let old = try synced.record(of: change.node)?.state.payload.content
        if try !synced.mayLack(content, of: change.node) { return nil }
        let view = LocalView(connection, link: link.id)
        guard let record = try view.record(of: change.node), record.state?.payload.content == content,
            let path = try view.path(of: change.node, root: .root)
        else { throw ClientError(.unstable, "a file changed while its change was being sent") }
        let file = ContentFile(
            node: change.node, path: path, fingerprint: record.fingerprint, isRacy: record.isRacy)
        return (file, old.flatMap { $0.size > 0 ? $0.id : nil })
    }

    /// The new pages of a recipe, and its blocks; nil when there is too much to hold.
    private func pages(
        of content: ContentID, since old: ContentID?, _ connection: StateConnection
    ) throws -> PageStream? {
        let recipes = RecipeQueries(connection)
        let splice = try RecipeSplice(of: content, since: old, recipes)
        var stream = PageStream(splice)
        var isTooLarge = false
        let found = try recipes.forEachEntry(of: content) { entry, _ in
            if isTooLarge { return }
            stream.append(entry)
            isTooLarge = stream.bytes > context.limits.windowedFrom
        }
        guard found else { throw ClientError(.unstable, "the recipe of a file is gone: it is read again") }
        if isTooLarge { return nil }
        guard stream.finish().id == content else {
            throw ClientError(.stateCorrupt, "the client's state holds a damaged recipe")
        }
        return stream
    }
}
