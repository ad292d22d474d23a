import Blocks
import Model
import StorageS3
import Synchronization

extension FakeS3 {
    /// Carries a request out; nil ends the connection.
    func handle(_ request: FakeRequest) -> (FakeAnswer?, Fault?) {
        state.withLock { state in
            if state.isDown { return (nil, nil) }
            let key = request.key(in: Self.bucketName)
            state.count(request, key)
            let fault = state.takeFault(of: request, key ?? "")
            switch fault {
            case .reset: return (nil, fault)
            case .answer(let status, let code): return (Self.bare(.error(status, code), request), fault)
            default: break
            }
            let moment = SystemWallClock().now().advanced(by: .seconds(state.bucket.clockOffset))
            if let refusal = Self.refusal(of: request, at: moment) { return (Self.bare(refusal, request), fault) }
            guard let key else { return (Self.bare(.error(404, "NoSuchBucket"), request), fault) }
            state.bucket.now = moment.seconds
            return (
                Self.bare(state.bucket.carryOut(request, key, at: Self.iso(SigningTime(moment).second)), request), fault
            )
        }
    }

    /// An answer to HEAD has no body.
    private static func bare(_ answer: FakeAnswer, _ request: FakeRequest) -> FakeAnswer {
        guard request.method == "HEAD" else { return answer }
        var answer = answer
        answer.length = answer.length ?? answer.body.count
        answer.body = []
        return answer
    }

    /// A moment as lists tell it, of one as requests tell it.
    private static func iso(_ second: String) -> String {
        let text = Array(second)
        guard text.count == 16 else { return "" }
        func part(_ range: Range<Int>) -> String { String(text[range]) }
        return "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15)).000Z"
    }

    /// Why a request is not even looked at: what was signed is computed again from what came over the network.
    private static func refusal(of request: FakeRequest, at moment: Timestamp) -> FakeAnswer? {
        if request.header("expect") != nil { return .error(417, "ExpectationFailed") }
        guard let date = request.header("x-amz-date"), let hash = request.header("x-amz-content-sha256"),
            let authorization = request.header("authorization"),
            let names = authorization.firstRange(of: "SignedHeaders=").map({ authorization[$0.upperBound...] })?
                .prefix(while: { $0 != "," }).split(separator: ";").map(String.init)
        else { return .error(403, "AccessDenied") }
        for must in ["host", "x-amz-date", "x-amz-content-sha256"] where !names.contains(must) {
            return .error(403, "AccessDenied")
        }
        for header in request.headers where header.name.hasPrefix("x-amz-") && !names.contains(header.name) {
            return .error(403, "AccessDenied")
        }
        guard let seconds = SigningTime.seconds(of: iso(date)) else { return .error(403, "AccessDenied") }
        if abs(seconds - moment.seconds) > 900 { return .error(403, "RequestTimeTooSkewed") }
        let time = SigningTime(Timestamp(nanoseconds: seconds * 1_000_000_000))
        let signer = RequestSigner(credentials: credentials, region: region)
        let content = RequestSigner.Content(
            method: request.method, path: request.path, query: request.query,
            headers: request.headers.filter { names.contains($0.name) }, payloadHash: hash)
        if signer.authorization(for: content, at: time) != authorization {
            return .error(403, "SignatureDoesNotMatch")
        }
        if SHA256Hasher.digest(of: request.body).hex != hash { return .error(400, "XAmzContentSHA256Mismatch") }
        if let given = request.header("content-md5"),
            given != MD5Hash.digest(of: request.body).map({ Base64.encode($0) })
        {
            return .error(400, "BadDigest")
        }
        return nil
    }
}

extension FakeS3.State {
    fileprivate mutating func count(_ request: FakeRequest, _ key: String?) {
        let place = key.flatMap { $0.split(separator: "/").first }.map(String.init) ?? ""
        let prefix = request.items["prefix"].map { "list " + $0 } ?? "\(request.method) \(place)"
        counts[prefix, default: 0] += 1
        counts["all", default: 0] += 1
        bytesReceived += request.body.count
    }

    fileprivate mutating func takeFault(of request: FakeRequest, _ key: String) -> FakeS3.Fault? {
        guard
            let place = rules.firstIndex(where: { rule in
                rule.times > 0 && (rule.method ?? request.method) == request.method && key.hasPrefix(rule.keyPrefix)
                    && (rule.query.isEmpty || request.query.contains(rule.query))
            })
        else { return nil }
        rules[place].times -= 1
        return rules[place].fault
    }
}

extension FakeBucket {
    fileprivate mutating func carryOut(_ request: FakeRequest, _ key: String, at time: String) -> FakeAnswer {
        let items = request.items
        switch (request.method, key.isEmpty) {
        case ("HEAD", true): return FakeAnswer()
        case ("GET", true): return items["uploads"] == nil ? list(items) : listUploads(items)
        case ("POST", true) where items["delete"] != nil: return deleteMany(request)
        case ("GET", false), ("HEAD", false): return get(key, request)
        case ("PUT", false):
            return items["uploadId"] == nil ? put(key, request, at: time) : putPart(items, request)
        case ("DELETE", false):
            if let id = items["uploadId"] { return abort(id) }
            objects[key] = nil
            return FakeAnswer(status: 204)
        case ("POST", false):
            if items["uploads"] != nil { return begin(key, request, at: time) }
            if items["restore"] != nil { return restore(key, request) }
            guard let id = items["uploadId"] else { return .error(405, "MethodNotAllowed") }
            return complete(key, id, request)
        default: return .error(405, "MethodNotAllowed")
        }
    }
}
