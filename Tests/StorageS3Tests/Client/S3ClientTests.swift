import Model
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import StorageS3

/// The client against a server that verifies what it is sent.
@Suite struct S3ClientTests {
    private func withServer(
        _ retries: S3RetryPolicy = .fast, _ body: (FakeS3, S3Client) async throws -> Void
    ) async throws {
        let server = try await FakeS3.start()
        let client = try server.client(retries: retries)
        try await body(server, client)
        try await client.shutdown()
        try await server.stop()
    }

    @Test("an object is stored, looked at, read in whole and in part, and removed")
    func life() async throws {
        try await withServer { server, client in
            var generator = SeededGenerator(seed: 1)
            let bytes = generator.bytes(100_000)
            let key = "packs/a b+ü&'%"
            let options = S3PutOptions(storageClass: "STANDARD_IA", metadata: ["sum": "x"], withMD5: true)
            let tag = try await client.put(key, bytes, options)
            let info = try await client.head(key)
            #expect(info.size == 100_000)
            #expect(info.etag == tag && !tag.isEmpty)
            #expect(info.storageClass == "STANDARD_IA")
            #expect(info.metadata["sum"] == "x")
            let whole = try await client.get(key, limit: 1 << 20)
            #expect(whole.bytes == bytes && whole.etag == tag)
            #expect(try await client.get(key, range: 10..<20).bytes == Array(bytes[10..<20]))
            #expect(try await client.get(key, range: 99_990..<200_000).bytes == Array(bytes[99_990...]))
            #expect(try await client.get(key, range: 100_000..<100_001).bytes.isEmpty)
            try await client.delete(key)
            try await client.delete(key)
            await #expect { try await client.head(key) } throws: { ($0 as? S3Failure)?.isNotFound == true }
            #expect(server.count("PUT packs") == 1)
        }
    }

    @Test("conditions hold an object as it is")
    func conditions() async throws {
        try await withServer { _, client in
            let first = try await client.put("k", [1], S3PutOptions(condition: .isAbsent))
            for condition in [S3Condition.isAbsent, .matches("\"other\"")] {
                await #expect {
                    try await client.put("k", [2], S3PutOptions(condition: condition))
                } throws: { ($0 as? S3Failure)?.isPreconditionFailed == true }
            }
            try await client.put("k", [3], S3PutOptions(condition: .matches(first)))
            #expect(try await client.get("k", limit: 10).bytes == [3])
        }
    }

    @Test("a list goes on over its pages, and is refused when it can't")
    func listing() async throws {
        try await withServer { server, client in
            server.state.withLock { $0.bucket.pageSize = 3 }
            let keys = (0..<10).map { "packs/\($0)" }
            for key in keys { try await client.put(key, [UInt8](repeating: 7, count: key.count)) }
            try await client.put("other", [])
            var found: [S3ListedObject] = []
            try await client.list(prefix: "packs/") { found += $0 }
            #expect(found.map(\.key) == keys)
            #expect(found.allSatisfy { $0.size == 7 && $0.modified != nil })
            #expect(server.count("list packs/") == 4)
            let left = try await client.delete(keys)
            #expect(left.isEmpty)
            #expect(try await client.list(prefix: "packs/").objects.isEmpty)
            #expect(server.objects("").keys.sorted() == ["other"])
        }
    }

    @Test("an upload in parts becomes an object by its last request only")
    func multipart() async throws {
        try await withServer { server, client in
            var generator = SeededGenerator(seed: 2)
            let bytes = generator.bytes(11 << 20)
            try await client.putInParts("packs/p", bytes, S3PutOptions(condition: .isAbsent), partSize: 5 << 20)
            let isSame = server.objects()["packs/p"] == bytes
            #expect(isSame)
            await #expect {
                try await client.putInParts("packs/p", bytes, S3PutOptions(condition: .isAbsent))
            } throws: { ($0 as? S3Failure)?.isPreconditionFailed == true }
            let upload = try await client.beginUpload("packs/q")
            _ = try await client.send(part: 1, bytes, of: upload)
            #expect(server.objects()["packs/q"] == nil)
            let found = try await client.uploads(prefix: "packs/")
            #expect(found.map(\.id) == [upload.id] && found[0].begun != nil)
            try await client.abort(upload)
            try await client.abort(upload)
            #expect(try await client.uploads(prefix: "").isEmpty)
        }
    }

    @Test("an object that came about during an upload is not stored over where the server sees to that")
    func overtakenUpload() async throws {
        try await withServer { server, client in
            let upload = try await client.beginUpload("packs/p")
            let tag = try await client.send(part: 1, [1, 2], of: upload)
            try await client.put("packs/p", [9])
            await #expect {
                try await client.complete(upload, [tag], .isAbsent)
            } throws: { ($0 as? S3Failure)?.isPreconditionFailed == true }
            #expect(server.objects()["packs/p"] == [9])
            server.state.withLock { $0.bucket.ignoresConditions = true }
            // It is looked before all the same.
            await #expect {
                try await client.putInParts("packs/p", [1, 2], S3PutOptions(condition: .isAbsent))
            } throws: { ($0 as? S3Failure)?.isPreconditionFailed == true }
            #expect(server.objects()["packs/p"] == [9])
        }
    }

    @Test("a condition holds on a server that compares an ETag without its quotes, and only then")
    func bareTags() async throws {
        try await withServer { server, client in
            server.state.withLock { $0.bucket.comparesBareTags = true }
            let tag = try await client.put("packs/p", [1])
            let next = try await client.put("packs/p", [2], S3PutOptions(condition: .matches(tag)))
            #expect(server.objects()["packs/p"] == [2] && next != tag)
            server.forgetCounts()
            for old in [tag, "\"\"", "\"", "none"] {
                await #expect {
                    try await client.put("packs/p", [3], S3PutOptions(condition: .matches(old)))
                } throws: { ($0 as? S3Failure)?.isPreconditionFailed == true }
            }
            #expect(server.count("PUT packs") == 4, "another object is not tried again")
            #expect(server.objects()["packs/p"] == [2])
        }
    }

    @Test("a list of unfinished uploads goes on over its pages, and is refused when it can't")
    func manyUploads() async throws {
        try await withServer { server, client in
            server.state.withLock { state in
                state.bucket.pageSize = 10
                for number in 0..<35 {
                    let upload = FakeBucket.Upload(
                        key: "packs/\(number % 3)", object: FakeBucket.Object(bytes: []),
                        begun: "2026-01-01T00:00:00.000Z")
                    state.bucket.uploads["upload-\(number)"] = upload
                }
            }
            let found = try await client.uploads(prefix: "packs/")
            #expect(found.count == 35 && Set(found.map(\.id)) == Set((0..<35).map { "upload-\($0)" }))
            let few = try await client.uploads(prefix: "packs/1")
            #expect(few.count == 12)
            // One who says that it goes on and names no place.
            server.state.withLock { $0.bucket.pageSize = 0 }
            await #expect {
                try await client.uploads(prefix: "packs/")
            } throws: { ($0 as? S3Failure)?.kind == .malformed }
        }
    }

    @Test("an upload in parts that fails is given up, also when its completion fails behind status 200")
    func failedMultipart() async throws {
        try await withServer { server, client in
            server.fail(.init(fault: .answer(500, "InternalError"), method: "PUT", query: "partNumber=2"))
            await #expect(throws: S3Failure.self) {
                try await client.putInParts("packs/p", [UInt8](repeating: 1, count: 11 << 20), partSize: 5 << 20)
            }
            #expect(server.objects().isEmpty)
            #expect(server.state.withLock { $0.bucket.uploads.isEmpty })
            server.heal()
            server.fail(.init(fault: .answer(200, "InternalError"), method: "POST", query: "uploadId="))
            await #expect {
                try await client.putInParts("packs/p", [1, 2, 3])
            } throws: { ($0 as? S3Failure)?.code == "InternalError" }
            #expect(server.objects().isEmpty)
        }
    }

    @Test("an archived object is asked for, waited for, and read")
    func archive() async throws {
        try await withServer { server, client in
            try await client.put("packs/p", [1, 2], S3PutOptions(storageClass: "GLACIER"))
            await #expect {
                try await client.get("packs/p", limit: 10)
            } throws: { ($0 as? S3Failure)?.code == "InvalidObjectState" }
            #expect(try await client.head("packs/p").restore == nil)
            try await client.restore("packs/p", days: 3)
            try await client.restore("packs/p", days: 3, tier: .bulk)
            #expect(try await client.head("packs/p").restore == .ongoing)
            server.state.withLock { $0.bucket.objects["packs/p"]?.restore = "ongoing-request=\"false\"" }
            #expect(try await client.head("packs/p").restore == .available(until: nil))
            #expect(try await client.get("packs/p", limit: 10).bytes == [1, 2])
        }
    }

    @Test(
        "what passes is tried again",
        arguments: [
            FakeS3.Fault.answer(503, "SlowDown"), .answer(500, "InternalError"), .reset, .lostAnswer, .truncated,
        ])
    func retries(fault: FakeS3.Fault) async throws {
        try await withServer { server, client in
            try await client.put("packs/p", [UInt8](repeating: 9, count: 5000))
            server.fail(.init(fault: fault, times: 2))
            #expect(try await client.get("packs/p", limit: 10_000).bytes.count == 5000)
            #expect(server.count("GET packs") == 3)
            server.fail(.init(fault: fault, times: 2))
            try await client.put("packs/q", [1])
            #expect(server.objects()["packs/q"] == [1])
        }
    }

    @Test("what does not pass ends after a few attempts, and what can't pass after one")
    func gaveUp() async throws {
        try await withServer { server, client in
            server.fail(.init(fault: .answer(503, "SlowDown")))
            await #expect {
                try await client.head("k")
            } throws: { ($0 as? S3Failure)?.status == 503 }
            #expect(server.count("all") == 3)
            server.heal()
            server.forgetCounts()
            server.fail(.init(fault: .answer(403, "AccessDenied")))
            await #expect {
                try await client.get("k", limit: 10)
            } throws: { ($0 as? S3Failure)?.code == "AccessDenied" }
            #expect(server.count("all") == 1)
        }
    }

    @Test("a server that does not answer is given up in time")
    func deadline() async throws {
        try await withServer(.impatient) { server, client in
            server.fail(.init(fault: .silent))
            let start = ContinuousClock().now
            await #expect {
                try await client.get("k", limit: 10)
            } throws: { ($0 as? S3Failure)?.kind == .timedOut }
            #expect(start.duration(to: ContinuousClock().now) < .seconds(10))
        }
    }

    @Test("an answer that is longer than may be is not taken")
    func tooLong() async throws {
        try await withServer { server, client in
            try await client.put("k", [UInt8](repeating: 1, count: 1000))
            await #expect {
                try await client.get("k", limit: 999)
            } throws: { ($0 as? S3Failure)?.kind == .malformed }
        }
    }

    @Test("wrong secrets, wrong clocks and a missing bucket are told apart")
    func refusals() async throws {
        let server = try await FakeS3.start()
        func failure(_ client: S3Client) async -> String {
            do throws(S3Failure) {
                _ = try await client.get("k", limit: 1)
                return "none"
            } catch { return error.code }
        }
        var configuration = server.configuration("eu")
        configuration.credentials = S3Credentials(accessKey: "AKTEST", secretKey: "wrong")
        let generator = SeededGenerator(seed: 1)
        let wrong = try configuration.makeRegion(wallClock: SystemWallClock(), generator: generator).client
        #expect(await failure(wrong) == "SignatureDoesNotMatch")
        let late = try server.client(wallClock: ManualClock())
        #expect(await failure(late) == "RequestTimeTooSkewed")
        configuration = server.configuration("eu")
        configuration.bucket = "another"
        let missing = try configuration.makeRegion(wallClock: SystemWallClock(), generator: generator).client
        #expect(await failure(missing) == "NoSuchBucket")
        configuration.certificateAuthority = "/nowhere.pem"
        #expect(throws: S3ConfigurationError.self) {
            try configuration.makeRegion(wallClock: SystemWallClock(), generator: generator)
        }
        for client in [wrong, late, missing] { try await client.shutdown() }
        try await server.stop()
    }

    @Test("a token that goes with a key is sent and signed")
    func sessionToken() async throws {
        let server = try await FakeS3.start()
        var configuration = server.configuration("eu")
        configuration.credentials = S3Credentials(
            accessKey: FakeS3.credentials.accessKey, secretKey: FakeS3.credentials.secretKey,
            sessionToken: "for a while")
        let region = try configuration.makeRegion(wallClock: SystemWallClock(), generator: SeededGenerator(seed: 2))
        try await region.client.put("k", [1])
        #expect(server.objects("k") == ["k": [1]])
        try await region.close()
        try await server.stop()
    }
}
