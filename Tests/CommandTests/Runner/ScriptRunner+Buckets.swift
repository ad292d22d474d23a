import Foundation
import TestSupport

@testable import S3Support

/// Servers of S3 in the process of the test, each with one bucket.
extension ScriptRunner {
    /// `bucket NAME` starts one, whose address is `$NAME`; `bucket down NAME` and `bucket up NAME` take it away and bring it
    /// back.
    func bucket(_ words: [String]) async throws {
        switch (words.first, words.count) {
        case (let name?, 1):
            guard buckets[name] == nil else { throw Failure("there is a bucket \(name) already") }
            let server = try await FakeS3.start()
            buckets[name] = server
            variables[name] = server.address
        case ("down", 2): try known(words[1]).isDown = true
        case ("up", 2): try known(words[1]).isDown = false
        default: throw Failure("bucket needs a name, or up or down and a name")
        }
    }

    /// `equal-buckets NAME NAME`: both hold the same packs, at least one, and nothing is noted that one of them lacks.
    func compareBuckets(_ words: [String], isNegated: Bool) throws {
        guard words.count == 2 else { throw Failure("equal-buckets needs two names") }
        let servers = try words.map { try known($0) }
        let packs = servers.map { $0.objects("packs/") }
        let notes = servers.map { $0.objects("repairs/").count }
        let isEqual = !packs[0].isEmpty && packs[0] == packs[1] && notes == [0, 0]
        guard isEqual != isNegated else {
            throw Failure("there are \(packs.map(\.count)) packs, and \(notes) notes of what is lacking")
        }
    }

    func endBuckets() async {
        for server in buckets.values { try? await server.stop() }
        buckets = [:]
    }

    private func known(_ name: String) throws -> FakeS3 {
        guard let server = buckets[name] else { throw Failure("there is no bucket \(name)") }
        return server
    }
}
