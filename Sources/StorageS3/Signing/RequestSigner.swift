import Blocks
import Model

/// Signs requests by AWS Signature Version 4, in the `Authorization` header, with the payload's hash signed as well.
package struct RequestSigner: Sendable {
    /// What of a request is signed.
    package struct Content {
        let method: String
        /// Encoded, as it is sent.
        let path: String
        /// Encoded and sorted, as it is sent.
        let query: String
        /// All headers that are signed; the host among them.
        let headers: [(name: String, value: String)]
        /// SHA-256 of the body, in hexadecimal digits.
        let payloadHash: String

        /// Makes it of its parts.
        package init(
            method: String, path: String, query: String, headers: [(name: String, value: String)], payloadHash: String
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.payloadHash = payloadHash
        }
    }

    static let algorithm = "AWS4-HMAC-SHA256"

    let credentials: S3Credentials
    /// The name of the server's region, which the key is bound to.
    let region: String
    let service: String

    /// Makes one for a key and a region.
    package init(credentials: S3Credentials, region: String, service: String = "s3") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// The value of the `Authorization` header.
    package func authorization(for content: Content, at time: SigningTime) -> String {
        let headers = canonical(content.headers)
        let names = headers.map(\.name).joined(separator: ";")
        let scope = "\(time.day)/\(region)/\(service)/aws4_request"
        let text = [
            Self.algorithm, time.second, scope, Self.hash(of: canonicalRequest(content, headers, names)),
        ].joined(separator: "\n")
        let signature = HMACSHA256(key: key(for: time)).code(of: Array(text.utf8)).bytes.hex
        return "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope), "
            + "SignedHeaders=\(names), Signature=\(signature)"
    }

    /// The hash of a text or a body in hexadecimal digits.
    static func hash(of bytes: [UInt8]) -> String { SHA256Hasher.digest(of: bytes).bytes.hex }

    private static func hash(of text: String) -> String { hash(of: Array(text.utf8)) }

    private func canonicalRequest(
        _ content: Content, _ headers: [(name: String, value: String)], _ names: String
    ) -> String {
        let lines = headers.map { $0.name + ":" + $0.value + "\n" }.joined()
        return [content.method, content.path, content.query, lines, names, content.payloadHash]
            .joined(separator: "\n")
    }

    /// Small letters, single spaces, one line for each name.
    private func canonical(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for header in headers {
            let value = header.value.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            values[header.name.lowercased(), default: []].append(value)
        }
        return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
    }

    private func key(for time: SigningTime) -> [UInt8] {
        var key = Array(("AWS4" + credentials.secretKey).utf8)
        for part in [time.day, region, service, "aws4_request"] {
            key = HMACSHA256(key: key).code(of: Array(part.utf8)).bytes
        }
        return key
    }
}
