import CoreMetrics
import Logging
import Metadata
import Model
import Storage

/// Reads the sealed bytes of many blocks, and goes on when some are damaged.
struct ReadRecords: Sendable {
    private let context: FilesContext

    init(_ context: FilesContext) { self.context = context }

    /// The blocks with their bytes as `read` gives them, in order; nil for a block that can't be had, which is counted and
    /// logged.
    /// - Throws: what reading throws but for single records that are damaged or gone.
    func callAsFunction(
        _ blocks: [StoredBlock], _ read: ([PackLocation]) async throws -> [[UInt8]]
    ) async throws -> [(block: StoredBlock, bytes: [UInt8]?)] {
        do {
            return Array(zip(blocks, try await read(blocks.map(\.location)).map(Optional.some)))
        } catch let error as StorageError where Self.isDamage(error) {
            var results: [(block: StoredBlock, bytes: [UInt8]?)] = []
            for block in blocks {
                do {
                    results.append((block, try await read([block.location]).first))
                } catch let error as StorageError where Self.isDamage(error) {
                    report(block, error)
                    results.append((block, nil))
                }
            }
            return results
        }
    }

    private static func isDamage(_ error: StorageError) -> Bool {
        error.code == .corrupt || error.code == .notFound
    }

    private func report(_ block: StoredBlock, _ error: StorageError) {
        context.metrics.blocksCorrupt.increment()
        context.log.error(
            "a stored block is damaged",
            metadata: [
                "block": "\(block.id)", "place": "\(block.location)", "tier": "\(block.tier)", "cause": "\(error)",
            ])
    }
}

/// Blocks in portions of a number of sealed bytes; a block that is larger is a portion of its own.
struct Portions: Sequence, IteratorProtocol {
    private var rest: ArraySlice<StoredBlock>
    private let bytes: Int

    init(_ blocks: [StoredBlock], bytes: Int) {
        rest = blocks[...]
        self.bytes = bytes
    }

    mutating func next() -> [StoredBlock]? {
        if rest.isEmpty { return nil }
        var size = 0
        let portion = rest.prefix { block in
            defer { size += Int(block.length) }
            return size == 0 || size + Int(block.length) <= bytes
        }
        rest = rest.dropFirst(portion.count)
        return Array(portion)
    }
}
