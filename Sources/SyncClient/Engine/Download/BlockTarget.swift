import Blocks
import Model
import SyncPlanning
import Synchronization

/// A file that is being built, filled from several threads at a time.
///
/// `@unchecked`: the builder is touched only within the lock, and after all of them are done.
final class BlockTarget: @unchecked Sendable {
    let action: LocalAction
    private let builder: FileBuilder
    private let applier: ApplierBox
    private let lock = Mutex(())

    /// Begins the building.
    init(_ action: LocalAction, _ state: NodeState, applier: ApplierBox) throws {
        self.action = action
        self.applier = applier
        builder = try applier.naming(action) { try applier.build(action.node, state) }
    }

    var node: NodeID { action.node }

    /// Whether a part was built by an earlier run.
    var isResumed: Bool { builder.isResumed }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
        try applier.naming(action) { try lock.withLock { _ in try builder.write(bytes, at: offset) } }
    }

    func contains(_ entry: RecipeEntry, at offset: UInt64) throws -> Bool {
        try lock.withLock { _ in try builder.contains(entry, at: offset) }
    }

    func finish() throws -> StagedFile {
        try applier.naming(action) { try lock.withLock { _ in try builder.finish() } }
    }
}

extension ApplierBox {
    /// Does something for a step, and has an error of the disk name the file that the step is about instead of the one
    /// that is being built for it, which nobody knows.
    fileprivate func naming<Answer>(_ action: LocalAction, _ body: () throws -> Answer) throws -> Answer {
        do {
            return try body()
        } catch let error as ClientError where error.code.concernsDisk && error.errno != 0 {
            throw ClientError.system("write", try path(of: action), errno: error.errno)
        }
    }
}

/// A block that is to be at a place of a file.
struct WantedBlock: Sendable {
    let entry: RecipeEntry
    let offset: UInt64
    let target: BlockTarget
}
