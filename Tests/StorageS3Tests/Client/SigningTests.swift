import Model
import Testing

@testable import StorageS3

/// Signature Version 4 against the examples that AWS has published: the test suite of the protocol, and the examples in
/// the documentation of S3.
@Suite struct SigningTests {
    private static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// One published request with its signature.
    struct Vector: Sendable, CustomStringConvertible {
        var description: String
        var method = "GET"
        var path = "/"
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var payloadHash = SigningTests.emptyHash
        let signature: String
    }

    // 2015-08-30 12:36:00 and 2013-05-24 00:00:00, UTC.
    private static let suiteMoment = Timestamp(nanoseconds: 1_440_938_160_000_000_000)
    private static let documentationMoment = Timestamp(nanoseconds: 1_369_353_600_000_000_000)

    private static let suite = [
        Vector(
            description: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            description: "post-vanilla", method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            description: "get-vanilla-query-order-key-case", query: [("Param2", "value2"), ("Param1", "value1")],
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ]

    @Test("the protocol's own test suite comes out", arguments: suite)
    func protocolSuite(vector: Vector) {
        let credentials = S3Credentials(
            accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        let signer = RequestSigner(credentials: credentials, region: "us-east-1", service: "service")
        let headers = [(name: "Host", value: "example.amazonaws.com"), (name: "X-Amz-Date", value: "20150830T123600Z")]
        expect(vector, signer, headers, Self.suiteMoment)
    }

    private static let documentation = [
        Vector(
            description: "get object", path: "/test.txt", headers: [("Range", "bytes=0-9")],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            description: "put object", method: "PUT", path: "/test%24file.text",
            headers: [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            description: "get bucket lifecycle", query: [("lifecycle", "")],
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            description: "list objects", query: [("max-keys", "2"), ("prefix", "J")],
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test("the examples of the documentation come out", arguments: documentation)
    func examples(vector: Vector) {
        let credentials = S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        let signer = RequestSigner(credentials: credentials, region: "us-east-1")
        let headers = [
            (name: "Host", value: "examplebucket.s3.amazonaws.com"),
            (name: "x-amz-content-sha256", value: vector.payloadHash),
            (name: "x-amz-date", value: "20130524T000000Z"),
        ]
        expect(vector, signer, headers, Self.documentationMoment)
    }

    private func expect(
        _ vector: Vector, _ signer: RequestSigner, _ headers: [(name: String, value: String)], _ moment: Timestamp
    ) {
        let content = RequestSigner.Content(
            method: vector.method, path: vector.path, query: PercentEncoding.query(vector.query),
            headers: headers + vector.headers, payloadHash: vector.payloadHash)
        let value = signer.authorization(for: content, at: SigningTime(moment))
        #expect(value.hasSuffix("Signature=" + vector.signature))
        #expect(value.hasPrefix("AWS4-HMAC-SHA256 Credential=\(signer.credentials.accessKey)/"))
    }

    @Test("spaces, case and repeats of headers are what the protocol says")
    func headers() {
        let signer = RequestSigner(credentials: S3Credentials(accessKey: "a", secretKey: "b"), region: "r")
        func sign(_ headers: [(name: String, value: String)]) -> String {
            let content = RequestSigner.Content(
                method: "GET", path: "/", query: "", headers: headers, payloadHash: Self.emptyHash)
            return signer.authorization(for: content, at: SigningTime(Self.suiteMoment))
        }
        let plain = sign([("host", "h"), ("x-a", "a b,c")])
        #expect(sign([("X-A", "  a   b "), ("Host", "h"), ("x-a", "c")]) == plain)
        #expect(sign([("host", "h"), ("x-a", "a  b, c")]) != plain)
        #expect(plain.contains("SignedHeaders=host;x-a,"))
    }

    @Test("names in addresses are encoded as they are signed")
    func encoding() {
        #expect(PercentEncoding.encode("aZ9-._~ /+ü") == "aZ9-._~%20%2F%2B%C3%BC")
        #expect(PercentEncoding.encode("a/b c", keepingSlashes: true) == "a/b%20c")
        #expect(PercentEncoding.query([("b", "2"), ("a", "x y"), ("a", "")]) == "a=&a=x%20y&b=2")
    }

    @Test("moments are written and read as they should be", arguments: [0, 951_782_400, 1_440_938_160, 4_107_542_399])
    func moments(seconds: Int64) {
        let time = SigningTime(Timestamp(nanoseconds: seconds * 1_000_000_000)).second
        let expected: [Int64: String] = [
            0: "19700101T000000Z", 951_782_400: "20000229T000000Z", 1_440_938_160: "20150830T123600Z",
            4_107_542_399: "21000228T235959Z",
        ]
        #expect(time == expected[seconds])
        let text = Array(time)
        func part(_ range: Range<Int>) -> String { String(text[range]) }
        let long = "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))"
        #expect(SigningTime.seconds(of: long + ".123Z") == seconds)
        #expect(SigningTime.seconds(of: long + "Z") == seconds)
        #expect(SigningTime.seconds(of: long) == nil)
    }

    @Test("credentials come from the environment only when they are whole")
    func environment() {
        let whole = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"]
        #expect(S3Credentials(environment: whole) == S3Credentials(accessKey: "a", secretKey: "s"))
        #expect(S3Credentials(environment: whole.merging(["AWS_SESSION_TOKEN": "t"]) { $1 })?.sessionToken == "t")
        #expect(S3Credentials(environment: ["AWS_ACCESS_KEY_ID": "a"]) == nil)
        #expect(S3Credentials(environment: whole.merging(["AWS_SECRET_ACCESS_KEY": ""]) { $1 }) == nil)
        #expect("\(S3Credentials(accessKey: "a", secretKey: "hidden"))".contains("hidden") == false)
    }
}
