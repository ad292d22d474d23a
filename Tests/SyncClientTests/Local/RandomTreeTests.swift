import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("Random trees from one disk to another")
struct RandomTreeTests {
    /// Two disks are the same when every entry is, byte for byte, with mode, time and target.
    func expectSame(_ one: LocalWorld, _ other: LocalWorld, _ comment: Comment) throws {
        let (left, right) = (try tree(one.root), try tree(other.root))
        var differences: [String] = []
        for path in Set(left.keys).union(right.keys) where left[path] != right[path] {
            differences.append(
                "\(path): \(left[path].map(\.description) ?? "-") and \(right[path].map(\.description) ?? "-")")
        }
        #expect(differences == [], comment)
    }

    @Test("what is scanned on one is applied on the other, change after change", arguments: 1...6)
    func mirrors(seed: UInt64) throws {
        let (here, there) = (try LocalWorld(seed: seed), try LocalWorld(seed: seed + 1000))
        var random = RandomTree(here, seed: seed)
        var store: ContentStore = [:]
        for round in 1...4 {
            try random.act(round == 1 ? 60 : 25)
            let sent = try here.sync()
            #expect(try here.scan().changes == 0, "seed \(seed), round \(round)")
            store.merge(try here.contents()) { first, _ in first }
            try there.receive(sent)
            #expect(try there.converge(store) != nil, "seed \(seed), round \(round)")
            try expectSame(here, there, "seed \(seed), round \(round)")
            #expect(try there.scan().changes == 0, "seed \(seed), round \(round)")
        }
    }

    @Test("partial scans of the folders touched find what a full scan finds", arguments: 20...25)
    func partialScans(seed: UInt64) throws {
        let world = try LocalWorld(seed: seed)
        var random = RandomTree(world, seed: seed)
        try random.act(50)
        try world.sync()
        for _ in 0..<6 {
            let before = try tree(world.root)
            try random.act(3)
            let after = try tree(world.root)
            let touched = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
            try world.scan(.folders(Set(touched.map { $0.parent ?? .root })))
            try world.readChanged()
            try world.commit()
            // A full scan has nothing to add but what has the same bytes, mode and time under a new inode.
            try world.scan()
            try world.readChanged()
            #expect(try world.overlay.isEmpty, "seed \(seed)")
        }
    }

    @Test("killed at random moments and written to at random, it loses nothing", arguments: 40...44)
    func killed(seed: UInt64) throws {
        let (here, there) = (try LocalWorld(seed: seed), try LocalWorld(seed: seed + 1000))
        var random = RandomTree(here, seed: seed)
        var dice = SeededGenerator(seed: seed)
        var store: ContentStore = [:]
        var unseen: Set<String> = []
        for round in 1...4 {
            try random.act(round == 1 ? 40 : 20)
            let sent = try here.sync()
            store.merge(try here.contents()) { first, _ in first }
            try there.receive(sent)
            for attempt in 0..<3 {
                var left = Int.random(in: 1...60, using: &dice)
                do {
                    try there.pass(store) { _ in
                        left -= 1
                        if left == 0 { throw Killed() }
                    }
                } catch is Killed {}
                let text = "unseen \(seed) \(round) \(attempt)"
                there.write("user \(attempt)", text)
                unseen = unseen.filter { !$0.hasSuffix(" \(attempt)") }.union([text])
                _ = try there.applier().recover()
            }
            #expect(try there.converge(store) != nil, "seed \(seed), round \(round)")
            let found = Set(try tree(there.root).values.map { String(decoding: $0.bytes, as: UTF8.self) })
            #expect(unseen.isSubset(of: found), "seed \(seed), round \(round)")
            #expect(!there.names().contains(".cairn-staging"))
        }
        let (left, right) = (try tree(here.root), try tree(there.root))
        let missing = left.filter { right[$0.key] != $0.value }
        #expect(missing.isEmpty, "seed \(seed): \(missing)")
    }
}
