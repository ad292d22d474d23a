import Metadata
import Model
import TestSupport
import Testing

@testable import Files

/// Somebody who makes, edits, moves, removes and brings back files at random, and remembers all of it.
struct Editor {
    private var random: SeededGenerator
    private var names = 0
    /// All that was ever saved.
    private(set) var saves: [Saved] = []
    /// What is there.
    private(set) var present: [NodeID: [UInt8]] = [:]
    /// How often a version came back.
    private(set) var restored = 0

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// Does something.
    mutating func act(_ shop: Workshop, _ who: Principal) async throws {
        shop.clock.advance(by: .seconds(Int64.random(in: 60...4000, using: &random)))
        let node = present.keys.sorted().randomElement(using: &random)
        switch (Int.random(in: 0..<10, using: &random), node) {
        case (0..<6, let node?) where present.count > 4: try await edit(node, shop, who)
        case (6, let node?):
            try await shop.move(try await path(node, shop, who), nextName(), by: who)
        case (7, let node?):
            try await shop.remove(try await path(node, shop, who), by: who)
            present[node] = nil
        case (8..., _?): try await restore(shop, who)
        default:
            let bytes = random.bytes(.random(in: 500..<2500, using: &random))
            note(try await shop.remember(nextName(), bytes, pause: .zero, by: who))
        }
    }

    /// What is not there, or not as it was left.
    func faults(_ shop: Workshop, _ who: Principal) async throws -> [String] {
        var faults: [String] = []
        for (node, bytes) in present.sorted(by: { $0.key < $1.key }) {
            let path = try await path(node, shop, who)
            if try await shop.read(path, by: who) != bytes { faults.append("\(path) has other bytes") }
        }
        let count = try await shop.tree(of: who).count
        if count != present.count { faults.append("there are \(count) files, not \(present.count)") }
        return faults
    }

    private mutating func nextName() -> String {
        names += 1
        return "/f\(names)"
    }

    private mutating func note(_ save: Saved) {
        saves.append(save)
        present[save.node] = save.bytes
    }

    private func path(_ node: NodeID, _ shop: Workshop, _ who: Principal) async throws -> String {
        let record = try await shop.database.read { try NodeQueries($0).node(node, in: who.home) }
        return "/\(try #require(record).state.name)"
    }

    /// Half of the edits share nothing with what was there.
    private mutating func edit(_ node: NodeID, _ shop: Workshop, _ who: Principal) async throws {
        var bytes = present[node] ?? []
        let added = random.bytes(.random(in: 1..<2000, using: &random))
        if Bool.random(using: &random) {
            bytes = added
        } else {
            bytes.insert(contentsOf: added.prefix(300), at: Int.random(in: 0...bytes.count, using: &random))
        }
        note(try await shop.remember(try await path(node, shop, who), bytes, pause: .zero, by: who))
    }

    private mutating func restore(_ shop: Workshop, _ who: Principal) async throws {
        guard let save = saves.randomElement(using: &random) else { return }
        do {
            let outcome = try await shop.restore(save.path, at: .at(save.revision), by: who)
            guard outcome.commits > 0 else { return }
        } catch let error as FilesError where error.code == .versionNotKept {
            return
        }
        restored += 1
        let path = try await path(save.node, shop, who)
        note(Saved(path: path, node: save.node, revision: try await shop.head(who), bytes: save.bytes))
    }
}
