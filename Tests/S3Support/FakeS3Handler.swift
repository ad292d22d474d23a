import NIOCore
import NIOHTTP1
import Synchronization

/// A request as it came over the network.
struct FakeRequest: Sendable {
    var method: String
    /// As it was sent, encoded.
    var path: String
    var query: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The decoded query.
    var items: [String: String] {
        var items: [String: String] = [:]
        for item in query.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            items[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
        }
        return items
    }

    /// The key within the bucket, decoded; nil when the path names another bucket.
    func key(in bucket: String) -> String? {
        let path = decoded(path)
        if path == "/\(bucket)" || path == "/\(bucket)/" { return "" }
        return path.hasPrefix("/\(bucket)/") ? String(path.dropFirst(bucket.count + 2)) : nil
    }
}

/// Undoes percent-encoding.
func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
            bytes.append(value)
            rest = rest.dropFirst(2)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

struct FakeAnswer: Sendable {
    var status = 200
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// The length that is told; that of the body, but for HEAD.
    var length: Int?
}

/// Takes requests from one connection.
final class FakeS3Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: FakeS3
    private var request: FakeRequest?

    init(server: FakeS3) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            request = FakeRequest(
                method: head.method.rawValue, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
                headers: head.headers.map { (name: $0.name.lowercased(), value: $0.value) }, body: [])
        case .body(let piece): request?.body.append(contentsOf: piece.readableBytesView)
        case .end:
            guard let request else { return }
            self.request = nil
            respond(to: request, context)
        }
    }

    private func respond(to request: FakeRequest, _ context: ChannelHandlerContext) {
        let (answer, fault) = server.handle(request)
        guard let answer else {
            context.close(promise: nil)
            return
        }
        switch fault {
        case .late(let milliseconds):
            server.state.withLock { state in
                state.running += 1
                state.mostRunning = max(state.mostRunning, state.running)
            }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
                bound.value.0.server.state.withLock { $0.running -= 1 }
                bound.value.0.write(answer, isTruncated: false, bound.value.1)
            }
        case .silent: break
        case .lostAnswer: context.close(promise: nil)
        case .truncated: write(answer, isTruncated: true, context)
        default: write(answer, isTruncated: false, context)
        }
    }

    private func write(_ answer: FakeAnswer, isTruncated: Bool, _ context: ChannelHandlerContext) {
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status))
        for header in answer.headers { head.headers.add(name: header.name, value: header.value) }
        head.headers.replaceOrAdd(name: "content-length", value: "\(answer.length ?? answer.body.count)")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let sent = isTruncated ? Array(answer.body.prefix(answer.body.count / 2)) : answer.body
        if !sent.isEmpty { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: sent)))), promise: nil) }
        if isTruncated {
            context.flush()
            context.close(promise: nil)
        } else {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
