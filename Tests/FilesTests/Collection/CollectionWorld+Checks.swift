import Blocks
import Metadata
import Model
import Storage
import TestSupport
import Testing

@testable import Files

/// What has to hold whatever the collector did.
extension CollectionWorld {
    /// What the database and the store have and need.
    struct Inventory: Sendable {
        var contents: [Content] = []
        var neededPages: Set<PageID> = []
        var neededBlocks: Set<BlockID> = []
        var pages: Set<Digest> = []
        var blocks: [BlockID: StoredBlock] = [:]
        var condemned = 0
        var doomed: [DoomedPack] = []
    }

    /// Reads everything that is kept, byte for byte.
    /// - Returns: what is wrong, in words.
    func faults() async throws -> [String] {
        let inventory = try await inventory()
        var faults: [String] = []
        for content in Set(inventory.contents) where content.size > 0 {
            do {
                let file = FoundFile(
                    context: context, account: ada.account, path: try RemotePath("/x"),
                    record: NodeRecord(
                        node: Ids.node(1), revision: .zero,
                        state: NodeState(
                            parent: .root, name: try NodeName("x"), payload: .file(content), mode: 0,
                            modified: clock.now())), content: content)
                let bytes = try await file.read(0..<content.size).whole()
                // The same bytes have the same name, so this compares all of them.
                if Self.content(of: bytes) != content { faults.append("content \(content.id) has other bytes") }
            } catch {
                faults.append("content \(content.id): \(error)")
            }
        }
        return faults
    }

    private static func content(of bytes: [UInt8]) -> Content {
        var builder = RecipeBuilder()
        bytes.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                let length = SampleFile.chunker.boundary(in: rest, atEnd: true) ?? rest.count
                let block = BlockID(SHA256Hasher.digest(of: UnsafeRawBufferPointer(rebasing: rest[..<length])))
                builder.append(RecipeEntry(block: block, length: UInt32(length))) { _ in }
                position += length
            }
        }
        return builder.finish { _ in }
    }

    /// What is there although nothing needs it, when everything has come to rest.
    func leaks() async throws -> [String] {
        let inventory = try await inventory()
        var leaks: [String] = []
        let pages = inventory.pages.subtracting(inventory.neededPages.map(\.digest))
        let blocks = Set(inventory.blocks.keys).subtracting(inventory.neededBlocks)
        if !pages.isEmpty { leaks.append("\(pages.count) pages") }
        if !blocks.isEmpty { leaks.append("\(blocks.count) blocks") }
        if inventory.condemned > 0 { leaks.append("\(inventory.condemned) condemned") }
        for doomed in inventory.doomed where !doomed.isGoing { leaks.append("doomed pack \(doomed.pack)") }
        let used = Set(inventory.blocks.values.map(\.pack))
        for pack in try await store.packs() where pack.isSealed && !used.contains(pack.pack) {
            leaks.append("pack \(pack.pack)")
        }
        return leaks
    }

    /// Collects until there is nothing left to do.
    func comeToRest() async throws {
        for _ in 0..<8 {
            clock.advance(by: .seconds(1))
            if try await collect().isIdle { return }
        }
        Issue.record("the collector does not come to rest")
    }

    func inventory() async throws -> Inventory {
        let (account, home) = (ada.account, ada.home)
        return try await raw.read { connection in
            var inventory = Inventory()
            let collection = CollectionQueries(connection)
            inventory.contents = try collection.roots(in: home, after: nil, limit: 100_000).filter {
                $0.thinned == nil
            }.compactMap(\.content)
            for content in inventory.contents {
                // What can't be walked is found by reading it.
                try? RecipeWalker().entries(of: content) { page in
                    inventory.neededPages.insert(page)
                    return try PageQueries(connection).load(page, account: account) ?? []
                } body: { entry, _ in
                    inventory.neededBlocks.insert(entry.block)
                    return true
                }
            }
            for row in try connection.query("SELECT id FROM page", []) {
                inventory.pages.insert(Digest(bytes: try row.blob(0))!)
            }
            let names = try connection.query("SELECT id FROM block", []).map { BlockID(Digest(bytes: try $0.blob(0))!) }
            inventory.blocks = try BlockQueries(connection).locations(names, account: account)
            inventory.condemned = try collection.condemnedCount()
            inventory.doomed = try collection.doomed()
            return inventory
        }
    }
}
