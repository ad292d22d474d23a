import Foundation
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageLocal
import TestSupport
import Testing

@testable import cairn_server

@Suite("The regions of a server")
struct RegionSetTests {
    private let directory = TemporaryDirectory()
    private let database: any MetadataDatabase
    private let clock = ManualClock()

    init() throws { database = try SQLiteMetadataDatabase(path: directory.appending("cairn.db")) }

    private var set: RegionSet { RegionSet(database: database, clock: clock) }
    private var packs: String { directory.appending("packs") }
    private var copy: String { directory.appending("copy") }

    private func remembered() async throws -> [RegionID: String] {
        let all = try await database.read { try RegionQueries($0).all() }
        return Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0.path) })
    }

    private func empty(_ path: String) throws {
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    @Test("a first start marks and remembers them, and every later one finds them")
    func firstStart() async throws {
        let first = try await set.resolve([packs, copy])
        #expect(Set(first.values).count == 2)
        #expect(try LocalPackRegion.mark(of: copy) == first[copy])
        #expect(try await remembered() == Dictionary(uniqueKeysWithValues: first.map { ($0.value, $0.key) }))
        #expect(try await set.resolve([copy, packs]) == first)
        // A start that died after it had marked them, and before it had remembered them.
        try await database.write { connection in
            for id in first.values { try RegionQueries(connection).forget(id) }
        }
        #expect(try await set.resolve([packs, copy]) == first)
        #expect(try await remembered().count == 2)
    }

    @Test("a directory that is added while all are there becomes a region by itself")
    func added() async throws {
        let first = try await set.resolve([packs])
        clock.advance(by: .seconds(1))
        let second = try await set.resolve([packs, copy])
        #expect(second[packs] == first[packs])
        #expect(try await database.read { try RegionQueries($0).all() }.map(\.path) == [packs, copy])
    }

    @Test("an empty directory at the place of a region is refused by name, and stays empty")
    func notMounted() async throws {
        let ids = try await set.resolve([packs, copy])
        try empty(copy)
        for _ in 0..<2 {
            let failure = try await #require(throws: Failure.self) { try await set.resolve([packs, copy]) }
            #expect(failure.code == .configuration)
            #expect(failure.message.contains(copy) && failure.message.contains("\(ids[copy]!)"))
            #expect(failure.message.contains("region add \(copy)"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: copy).isEmpty)
        try FileManager.default.removeItem(atPath: copy)
        await #expect(throws: Failure.self) { try await set.resolve([packs, copy]) }
        #expect(!FileManager.default.fileExists(atPath: copy))
    }

    @Test("so is an empty directory at another place while a region is missing")
    func movedAndNotMounted() async throws {
        let ids = try await set.resolve([packs, copy])
        let failure = try await #require(throws: Failure.self) {
            try await set.resolve([packs, directory.appending("elsewhere")])
        }
        #expect(failure.message.contains("\(ids[copy]!), last seen at \(copy)"))
        // Fewer are allowed, when nothing new takes the place.
        #expect(try await set.resolve([packs]) == [packs: ids[packs]!])
    }

    @Test("the first region is not filled anew either")
    func firstRegion() async throws {
        _ = try await set.resolve([packs])
        try empty(packs)
        let failure = try await #require(throws: Failure.self) { try await set.resolve([packs]) }
        #expect(failure.message.contains(packs))
    }

    @Test("a region that lies elsewhere now is known by its mark")
    func moved() async throws {
        let ids = try await set.resolve([packs, copy])
        let elsewhere = directory.appending("elsewhere")
        try FileManager.default.moveItem(atPath: copy, toPath: elsewhere)
        #expect(try await set.resolve([packs, elsewhere]) == [packs: ids[packs]!, elsewhere: ids[copy]!])
        #expect(try await remembered()[ids[copy]!] == elsewhere)
    }

    @Test("a lost one is replaced by name, and is missed no more")
    func replaced() async throws {
        let ids = try await set.resolve([packs, copy])
        try empty(copy)
        let id = try await set.add(copy, adopting: false)
        #expect(try await remembered() == [ids[packs]!: packs, id: copy])
        #expect(try await set.resolve([packs, copy]) == [packs: ids[packs]!, copy: id])
        let again = try await #require(throws: Failure.self) { try await set.add(copy, adopting: true) }
        #expect(again.code == .usage)
    }

    @Test("one that is replaced elsewhere is missed until it is forgotten")
    func forgotten() async throws {
        let ids = try await set.resolve([packs, copy])
        let elsewhere = directory.appending("elsewhere")
        let id = try await set.add(elsewhere, adopting: false)
        #expect(try await set.resolve([packs, elsewhere])[elsewhere] == id)
        let third = directory.appending("third")
        await #expect(throws: Failure.self) { try await set.resolve([packs, elsewhere, third]) }
        #expect(try await database.write { try RegionQueries($0).forget(ids[copy]!) })
        #expect(try await set.resolve([packs, elsewhere, third]).count == 3)
    }

    @Test("another server's region is refused, and taken when that is what is wanted")
    func foreign() async throws {
        _ = try await set.resolve([packs])
        let foreign = RegionID(high: 9, low: 9)
        try LocalPackRegion.mark(copy, as: foreign)
        let store = try await LocalBlockStore.open(directories: [copy])
        _ = try await store.append([[1, 2, 3]])
        try await store.close()
        let refused = try await #require(throws: Failure.self) { try await set.resolve([packs, copy]) }
        #expect(refused.message.contains("\(foreign)") && refused.message.contains("--adopt"))
        let kept = try await #require(throws: Failure.self) { try await set.add(copy, adopting: false) }
        #expect(kept.code == .configuration && kept.message.contains("--adopt"))
        #expect(try await set.add(copy, adopting: true) == foreign)
        #expect(try await set.resolve([packs, copy])[copy] == foreign)
    }

    @Test("a copy of a region is no second region, and no directory is named twice")
    func copies() async throws {
        _ = try await set.resolve([packs])
        try FileManager.default.copyItem(atPath: packs, toPath: copy)
        let failure = try await #require(throws: Failure.self) { try await set.resolve([packs, copy]) }
        #expect(failure.message.contains(packs) && failure.message.contains(copy))
        let twice = try await #require(throws: Failure.self) { try await set.resolve([packs, packs + "/../packs"]) }
        #expect(twice.code == .usage)
    }

    @Test("a damaged mark is told with its path, and is not replaced")
    func damaged() async throws {
        _ = try await set.resolve([packs])
        try "nonsense".write(toFile: packs + "/region", atomically: true, encoding: .utf8)
        let error = try await #require(throws: StorageError.self) { try await set.resolve([packs]) }
        #expect(error.message.contains(packs + "/region"))
        #expect(Failure(describing: error).message.contains(packs))
        #expect(try String(contentsOfFile: packs + "/region", encoding: .utf8) == "nonsense")
    }

    @Test("a replaced region is filled from the others")
    func filled() async throws {
        let first = try await LocalBlockStore.open(
            directories: [packs, copy], identities: try await set.resolve([packs, copy]))
        let places = try await first.append([[1, 2, 3], [4]])
        try await first.close()
        try empty(copy)
        _ = try await set.add(copy, adopting: false)
        let second = try await LocalBlockStore.open(
            directories: [packs, copy], identities: try await set.resolve([packs, copy]))
        #expect(try await second.repairMissing() == 1)
        try await second.close()
        let alone = try await LocalBlockStore.open(directories: [copy], identities: [:])
        #expect(try await alone.read(places) == [[1, 2, 3], [4]])
        try await alone.close()
    }
}
