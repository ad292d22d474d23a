import Blocks
import Model
import Storage
import TestSupport
import Testing

@testable import StorageS3

/// The parts of the client that call nobody.
@Suite struct PureClientTests {
    @Test("addresses of servers, in both styles")
    func endpoints() throws {
        let path = try S3Endpoint("http://127.0.0.1:8121/", bucket: "packs")
        #expect(path.address(path: path.path(of: "a/b c"), query: "x=1") == "http://127.0.0.1:8121/packs/a/b%20c?x=1")
        #expect(path.host == "127.0.0.1:8121")
        #expect(path.path(of: "") == "/packs")
        let host = try S3Endpoint("HTTPS://S3.Example.org:443", bucket: "my.packs", style: .virtualHost)
        #expect(host.address(path: host.path(of: "k"), query: "") == "https://my.packs.s3.example.org/k")
        #expect(host.path(of: "") == "/")
        #expect(host.host == "my.packs.s3.example.org")
    }

    @Test(
        "what is no address or no bucket is refused with a reason",
        arguments: [
            ("s3.example.org", "packs"), ("ftp://host", "packs"), ("https://", "packs"), ("https://h/p", "packs"),
            ("https://u@h", "packs"), ("https://h", "P"), ("https://h", "Packs"), ("https://h", "a/b"),
        ])
    func badEndpoints(address: String, bucket: String) {
        #expect(throws: S3ConfigurationError.self) { try S3Endpoint(address, bucket: bucket) }
    }

    @Test("pauses grow, are drawn by chance, and end")
    func pauses() {
        let policy = S3RetryPolicy(
            attempts: 5, base: .milliseconds(100), cap: .milliseconds(250), deadline: .seconds(1))
        var generator = SeededGenerator(seed: 1)
        for attempt in 1...4 {
            let bound: Duration =
                attempt == 1 ? .milliseconds(100) : attempt == 2 ? .milliseconds(200) : .milliseconds(250)
            let pauses = (0..<50).compactMap { _ in policy.pause(after: attempt, elapsed: .zero, using: &generator) }
            #expect(pauses.count == 50)
            #expect(pauses.allSatisfy { $0 >= .zero && $0 <= bound })
            #expect(Set(pauses).count > 40)
        }
        #expect(policy.pause(after: 5, elapsed: .zero, using: &generator) == nil)
        #expect(policy.pause(after: 1, elapsed: .seconds(2), using: &generator) == nil)
        #expect(policy.timeout(moving: 8 << 20) > policy.timeout(moving: 0))
    }

    @Test("failures become what they mean for the store")
    func mapping() {
        func code(_ status: Int, _ code: String = "") -> StorageError.Code {
            S3Failure(.answered(status: status), code: code, "m").storageError(in: "eu", "a call").code
        }
        #expect(code(404, "NoSuchKey") == .notFound)
        #expect(code(404) == .notFound)
        #expect(code(404, "NoSuchBucket") == .unavailable)
        #expect(code(403, "QuotaExceeded") == .full)
        #expect(code(507) == .full)
        #expect(code(403, "AccessDenied") == .unavailable)
        #expect(code(403, "InvalidObjectState") == .unavailable)
        #expect(code(503, "SlowDown") == .unavailable)
        #expect(code(400, "InvalidArgument") == .io)
        #expect(code(412) == .unavailable)
        #expect(S3Failure(.timedOut, "m").storageError(in: "eu", "a call").code == .unavailable)
        let text = S3Failure(.answered(status: 503), code: "SlowDown", "wait").storageError(in: "eu", "reading")
            .description
        #expect(text.contains("eu") && text.contains("reading") && text.contains("503 SlowDown: wait"))
    }

    @Test("only what may pass is tried again, and only an outage speaks against the region")
    func retryable() {
        func failure(_ status: Int, _ code: String = "") -> S3Failure {
            S3Failure(.answered(status: status), code: code, "m")
        }
        for one in [failure(500), failure(503, "SlowDown"), failure(429), failure(400, "RequestTimeout")] {
            #expect(one.isRetryable && one.isOutage)
        }
        for one in [failure(404, "NoSuchKey"), failure(412), failure(507), failure(403, "QuotaExceeded"), failure(501)]
        {
            #expect(!one.isRetryable && !one.isOutage)
        }
        #expect(failure(403, "SignatureDoesNotMatch").isOutage)
        #expect(!failure(403, "InvalidObjectState").isOutage)
        #expect(failure(409, "ConditionalRequestConflict").isRetryable)
        #expect(S3Failure(.unreachable, "m").isRetryable && S3Failure(.unreachable, "m").isOutage)
        #expect(!S3Failure(.cancelled, "m").isRetryable && !S3Failure(.cancelled, "m").isOutage)
    }

    @Test("the header about restoring is read")
    func restoring() {
        #expect(S3Restore("ongoing-request=\"true\"") == .ongoing)
        let date = "Fri, 21 Dec 2012 00:00:00 GMT"
        #expect(S3Restore("ongoing-request=\"false\", expiry-date=\"\(date)\"") == .available(until: date))
        #expect(S3Restore("ongoing-request=\"false\"") == .available(until: nil))
        #expect(S3Restore("ongoing") == nil)
        #expect(S3Restore("") == nil)
    }

    @Test("base64 and MD5 are those of their documents")
    func digests() {
        #expect(
            ["", "f", "fo", "foo", "foob"].map { Base64.encode(Array($0.utf8)) } == [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==",
            ])
        #expect(MD5Hash.digest(of: [])?.hex == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(MD5Hash.digest(of: Array("abc".utf8))?.hex == "900150983cd24fb0d6963f7d28e17f72")
    }
}
