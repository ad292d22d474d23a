import Blocks
import Metadata
import Model
import Storage

/// A row of a block, with whose it is.
struct OwnedBlock: Sendable {
    let account: AccountID
    let block: StoredBlock

    var key: Key { Key(account: account, id: block.id) }

    /// What tells blocks apart: each account has its own.
    struct Key: Hashable, Sendable {
        let account: AccountID
        let id: BlockID
    }
}

/// Finds out whether a record is the block that its row says.
enum BlockVerification {
    /// The plaintext of a block from its record in one region.
    /// - Throws: ``BlocksError`` for a record that is not the block, ``StorageError`` `corrupt` for one whose checksum fails.
    static func plaintext(_ frame: RecordFrame, of block: OwnedBlock, key: AccountKey, _ worker: Worker) throws
        -> [UInt8]
    {
        guard frame.isIntact else {
            throw StorageError(.corrupt, "\(block.block.location) are not what was written")
        }
        let encoded = try frame.withPayload {
            try worker.sealer(for: block.account, key: key).open($0, expecting: block.block.id)
        }
        return try worker.decoder.decode(encoded)
    }

    /// Why a record is not the block of a row; nil when it is. Without a key only the checksum is looked at.
    static func fault(_ frame: RecordFrame?, of block: OwnedBlock, key: AccountKey?, _ worker: Worker) -> String? {
        guard let frame else { return "its record is not there" }
        guard let key else { return frame.isIntact ? nil : "its record is not what was written" }
        do {
            let plain = try plaintext(frame, of: block, key: key, worker)
            guard plain.count == Int(block.block.plainLength) else {
                return "its row says \(block.block.plainLength) bytes, its record has \(plain.count)"
            }
            return nil
        } catch let error as StorageError {
            return error.message
        } catch let error as BlocksError {
            return error.message
        } catch {
            return "\(error)"
        }
    }
}
