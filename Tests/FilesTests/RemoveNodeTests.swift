import Blocks
import Files
import Metadata
import Model
import Testing

@Suite("Removals that others meet")
struct RemoveNodeTests {
    /// A folder of seven files, which goes in commits of three changes.
    private func shop() async throws -> (shop: Workshop, ada: Principal) {
        var limits = FilesLimits()
        limits.removalBatch = 3
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var options = WriteOptions()
        options.createParents = true
        for number in 0..<7 { try await shop.write("/t/in/f\(number)", [UInt8(number)], options: options, by: ada) }
        return (shop, ada)
    }

    private func names(_ path: String, _ shop: Workshop, _ who: Principal) async throws -> [String] {
        try await ListFolder(shop.context)(RemotePath(path), in: who.home, by: who).entries.map(
            \.state.name.description)
    }

    /// Removes a path; before a commit of it another device changes something.
    private func remove(
        _ path: String, _ shop: Workshop, _ ada: Principal, before number: Int,
        _ change: @escaping @Sendable (any MetadataConnection) throws -> NodeChange
    ) async throws {
        let hooked = HookedDatabase(shop.database)
        hooked.setBefore(skipping: number - 1) { connection in
            let request = CommitRequest(
                namespace: ada.home, upload: Ids.upload(UInt64(number)), device: ada.device,
                changes: [try change(connection)])
            let outcome = try CommitQueries(connection).apply(request, at: Timestamp(nanoseconds: 9)) {
                SHA256Hasher.digest(of: $0)
            }
            guard case .committed = outcome else { throw FilesError(.corruptData, "the other device was refused") }
        }
        _ = try await RemoveNode(shop.context(over: hooked))(RemotePath(path), in: ada.home, by: ada)
    }

    /// A change that gives a node another name in the root.
    private func rename(
        _ path: String, to name: String, in namespace: NamespaceID
    ) -> @Sendable (any MetadataConnection) throws -> NodeChange {
        { connection in
            let record = try #require(try NodeQueries(connection).resolve(RemotePath(path), in: namespace))
            var state = record.state
            state.parent = .root
            state.name = try NodeName(name)
            return NodeChange(node: record.node, base: record.revision, state: state)
        }
    }

    @Test("what was renamed a moment before is not removed under its new name", arguments: ["/f", "/t"])
    func renamedBefore(path: String) async throws {
        let (shop, ada) = try await shop()
        try await shop.write("/f", [1], by: ada)
        let before = try await names("/t/in", shop, ada)
        await #expect(throws: FilesError(.notFound, "")) {
            try await remove(path, shop, ada, before: 1, rename(path, to: "other", in: ada.home))
        }
        #expect(try await names("/", shop, ada) == (path == "/f" ? ["other", "t"] : ["f", "other"]))
        #expect(try await names(path == "/f" ? "/t/in" : "/other/in", shop, ada) == before)
    }

    @Test("a folder that is moved while it goes keeps what it still has")
    func movedMeanwhile() async throws {
        let (shop, ada) = try await shop()
        await #expect(throws: FilesError(.conflict, "")) {
            try await remove("/t", shop, ada, before: 2, rename("/t", to: "other", in: ada.home))
        }
        #expect(try await names("/", shop, ada) == ["other"])
        #expect(try await names("/other/in", shop, ada) == ["f3", "f4", "f5", "f6"])
    }

    @Test("what others put into a folder while it goes is kept, and the folders that lead to it")
    func writtenMeanwhile() async throws {
        let (shop, ada) = try await shop()
        try await shop.write("/t/last", [1], by: ada)
        let namespace = ada.home
        await #expect(throws: FilesError(.conflict, "")) {
            try await remove("/t", shop, ada, before: 2) { connection in
                let folder = try #require(try NodeQueries(connection).resolve(RemotePath("/t/in"), in: namespace))
                let state = NodeState(
                    parent: folder.node, name: try NodeName("new"), payload: .folder, mode: 0o755,
                    modified: Timestamp(nanoseconds: 1))
                return NodeChange(node: Ids.node(99), base: .zero, state: state)
            }
        }
        #expect(try await names("/t", shop, ada) == ["in"])
        #expect(try await names("/t/in", shop, ada) == ["new"])
        // Asked again, it goes as well: now it was seen.
        _ = try await RemoveNode(shop.context)(RemotePath("/t"), in: ada.home, by: ada)
        #expect(try await names("/", shop, ada) == [])
    }

    @Test("a file that others change while its folder goes is kept")
    func changedMeanwhile() async throws {
        let (shop, ada) = try await shop()
        let namespace = ada.home
        await #expect(throws: FilesError(.conflict, "")) {
            try await remove("/t", shop, ada, before: 2) { connection in
                let record = try #require(try NodeQueries(connection).resolve(RemotePath("/t/in/f5"), in: namespace))
                var state = record.state
                state.mode = 0o600
                return NodeChange(node: record.node, base: record.revision, state: state)
            }
        }
        #expect(try await names("/t/in", shop, ada) == ["f5"])
        #expect(try await shop.read("/t/in/f5", by: ada) == [5])
    }

    @Test("a folder of which others remove the rest is removed")
    func removedMeanwhile() async throws {
        let (shop, ada) = try await shop()
        let namespace = ada.home
        for number in 0..<7 where number != 3 {
            _ = try await RemoveNode(shop.context)(RemotePath("/t/in/f\(number)"), in: namespace, by: ada)
        }
        // The first commit has the file and both folders.
        try await remove("/t", shop, ada, before: 1) { connection in
            let record = try #require(try NodeQueries(connection).resolve(RemotePath("/t/in/f3"), in: namespace))
            return NodeChange(node: record.node, base: record.revision, state: nil)
        }
        #expect(try await names("/", shop, ada) == [])
    }
}
