import Blocks
import Files
import HTTPTypes
import Metadata
import Model
import StorageConformance
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("The memory of requests", .serialized)
struct RequestMemoryTests {
    /// Takes all of a server's memory, so that whoever needs some has to wait.
    private func everything(_ server: LiveServer) async throws -> MemoryShare {
        let share = try await server.context.memory.take(.max)
        #expect(server.context.memory.free == 0)
        return share
    }

    @Test("blocks, changes and pages wait for memory; questions do not")
    func waits() async throws {
        let file = DeviceFile(random: 60_000, seed: 1)
        try await LiveServer.run { server async throws in
            var share: MemoryShare? = try await everything(server)
            let sending = Task {
                try await server.connect { client async throws in
                    try await client.send(BlockBatch(blocks: file.blocks), to: "/v1/blocks").message(
                        StoredResponse.self)
                }
            }
            while server.context.memory.waitingCount != 1 { await Task.yield() }
            try await server.connect { client async throws in
                let missing = try await client.send(BlockNames(blocks: file.blocks.map(\.id)), to: "/v1/blocks/missing")
                    .message(MissingResponse.self)
                #expect(missing.blocks == file.blocks.map(\.id))
            }
            withExtendedLifetime(share) {}
            share = nil
            #expect(try await sending.value.added == file.blocks.count)
            #expect(server.context.memory.free == server.context.memory.capacity)
        }
    }

    @Test("when too many wait, the next is told to come back later")
    func overload() async throws {
        let file = DeviceFile(random: 60_000, seed: 2)
        try await LiveServer.run { server async throws in
            var share: MemoryShare? = try await everything(server)
            let waiting = (0..<512).map { _ in Task { _ = try await server.context.memory.take(1) } }
            while server.context.memory.waitingCount != 512 { await Task.yield() }
            try await server.connect { client async throws in
                let reply = try await client.send(BlockBatch(blocks: file.blocks), to: "/v1/blocks")
                #expect(reply.status == 503)
                #expect(try reply.problem().code == .unavailable)
                #expect(reply.headers[.retryAfter] == "2")
            }
            withExtendedLifetime(share) {}
            share = nil
            for task in waiting { try await task.value }
        }
    }

    @Test("an answer with many blocks comes in parts, each byte as in one piece, and gives its memory back")
    func parts() async throws {
        var limits = FilesLimits()
        limits.portion = 100_000
        let file = DeviceFile(random: 3_000_000, seed: 3)
        try await LiveServer.run(files: limits) { server async throws in
            try await server.connect { client async throws in
                for start in stride(from: 0, to: file.blocks.count, by: 5000) {
                    let part = Array(file.blocks[start..<min(start + 5000, file.blocks.count)])
                    _ = try await client.send(BlockBatch(blocks: part), to: "/v1/blocks").message(StoredResponse.self)
                }
                let wanted = Array(file.blocks.reversed().prefix(8000))
                let reply = try await client.send(BlockNames(blocks: wanted.map(\.id)), to: "/v1/blocks/fetch")
                #expect(try reply.message(BlockBatch.self).blocks == wanted)
                #expect(try reply.bytes == BlockBatch(blocks: wanted).encoded())
                #expect(reply.headers[.contentLength] == String(reply.bytes.count))
            }
            while server.context.memory.free != server.context.memory.capacity { await Task.yield() }
        }
    }

    @Test("damage is told before an answer in parts begins, wherever the block is in it")
    func damage() async throws {
        var limits = FilesLimits()
        limits.portion = 100_000
        let file = DeviceFile(random: 2_000_000, seed: 4)
        try await LiveServer.run(files: limits) { server async throws in
            try await server.connect { client async throws in
                let blocks = Array(file.blocks.prefix(8000))
                _ = try await client.send(BlockBatch(blocks: blocks), to: "/v1/blocks").message(StoredResponse.self)
                try await server.damage(blocks[blocks.count - 1].id)
                let reply = try await client.send(BlockNames(blocks: blocks.map(\.id)), to: "/v1/blocks/fetch")
                #expect(reply.status == 500)
                #expect(try reply.problem().code == .corruptData)
            }
            while server.context.memory.free != server.context.memory.capacity { await Task.yield() }
        }
    }

    @Test("a body that is too long is refused before it waits for memory")
    func tooLong() async throws {
        var limits = APILimits()
        limits.message = 100_000
        try await LiveServer.run(limits: limits) { server async throws in
            let share = try await everything(server)
            try await server.connect { client async throws in
                let reply = try await client.call(.post, "/v1/blocks", [UInt8](repeating: 0, count: 200_000))
                #expect(reply.status == 413)
            }
            withExtendedLifetime(share) {}
        }
    }

    @Test("whole files have memory of their own")
    func transfers() async throws {
        try await LiveServer.run { server async throws in
            let share = try await everything(server)
            try await server.connect { client async throws in
                let bytes = [UInt8](repeating: 7, count: 3_000_000)
                #expect(try await client.call(.put, "/v1/files/f", bytes).status == 201)
                #expect(try await client.call(.get, "/v1/files/f").bytes == bytes)
            }
            withExtendedLifetime(share) {}
            while server.context.transfers.free != server.context.transfers.capacity { await Task.yield() }
        }
    }
}

extension LiveServer {
    /// Turns over one bit of a block where it is stored.
    func damage(_ block: BlockID) async throws {
        let home = home
        let place = try await context.database.read { connection in
            let account = try #require(try NamespaceQueries(connection).owner(of: home))
            return try #require(try BlockQueries(connection).locations([block], account: account)[block])
        }
        disk.flipBit(of: place.pack, at: place.offset + 70)
    }
}
