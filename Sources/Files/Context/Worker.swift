import Blocks
import Model

/// The tools of one worker thread, reused from job to job.
final class Worker {
    let decoder = BlockDecoder()
    let encoder = BlockEncoder()
    private var sealers: [AccountID: BlockSealer] = [:]

    /// The most sealers that are kept; each holds two cipher contexts.
    private static let keptSealers = 64

    /// The sealer of an account's blocks.
    func sealer(for account: AccountID, key: AccountKey) throws -> BlockSealer {
        if let sealer = sealers[account] { return sealer }
        if sealers.count >= Self.keptSealers { sealers.removeAll(keepingCapacity: true) }
        let sealer = try BlockSealer(key: key, account: account)
        sealers[account] = sealer
        return sealer
    }

    /// Checks that a block's bytes are what its name says, and seals them.
    func seal(_ block: EncodedBlock, account: AccountID, key: AccountKey) throws -> [UInt8] {
        try verify(block)
        return try sealer(for: account, key: key).seal(block)
    }

    /// Checks that a block's bytes are what its name says.
    func verify(_ block: EncodedBlock) throws {
        do {
            _ = try decoder.decode(block)
        } catch let error as BlocksError {
            throw FilesError(error.code == .tooLarge ? .tooLarge : .hashMismatch, error.message)
        }
    }
}
