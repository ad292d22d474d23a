import Blocks
import Model
import StorageS3

/// What a fake server keeps.
struct FakeBucket: Sendable {
    struct Object: Sendable {
        var bytes: [UInt8]
        var etag: String
        var metadata: [(name: String, value: String)] = []
        var storageClass: String?
        var modified = ""
        /// The header that says how far the restoring is, as a test has put it.
        var restore: String?
        /// From which second on it can be read, and until which.
        var restored: (ready: Int64, until: Int64)?

        init(bytes: [UInt8], etag: String? = nil) {
            self.bytes = bytes
            self.etag = etag ?? "\"\((MD5Hash.digest(of: bytes) ?? []).hex)\""
        }

        init(bytes: [UInt8], like other: Object) {
            self.init(bytes: bytes)
            (metadata, storageClass, modified) = (other.metadata, other.storageClass, other.modified)
            (restore, restored) = (other.restore, other.restored)
        }
    }

    struct Upload: Sendable {
        var key: String
        var object: Object
        var begun: String
        var parts: [Int: Object] = [:]
    }

    var objects: [String: Object] = [:]
    var uploads: [String: Upload] = [:]
    var nextUpload = 1
    /// How many objects a page of a list has at most.
    var pageSize = 1000
    /// As some servers do when an upload is completed.
    var ignoresConditions = false
    /// As Ceph 16 does with the condition of an upload: the ETag without its quotes.
    var comparesBareTags = false
    /// How many bytes there is room for.
    var quota = Int.max
    /// What a moment is for it, beside the machine's clock.
    var clockOffset: Int64 = 0

    /// The second since 1970 of the request.
    var now: Int64 = 0
    /// The classes that can't be read at once.
    static let coldClasses: Set<String> = ["GLACIER", "DEEP_ARCHIVE"]
    /// How many seconds it takes to restore an object; nil for ever.
    var restoreDelay: Int64?
    /// The tiers that restoring was asked for with.
    var restoreTiers: [String] = []

    var usedBytes: Int { objects.values.reduce(0) { $0 + $1.bytes.count } }

    // MARK: Objects

    mutating func put(_ key: String, _ request: FakeRequest, at time: String) -> FakeAnswer {
        if request.header("if-none-match") == "*", objects[key] != nil, !ignoresConditions { return .precondition }
        if let tag = request.header("if-match"), !ignoresConditions {
            guard let object = objects[key] else { return .error(404, "NoSuchKey") }
            let etag = comparesBareTags ? object.etag.filter { $0 != "\"" } : object.etag
            if etag != tag { return .precondition }
        }
        if usedBytes + request.body.count > quota { return .error(403, "QuotaExceeded") }
        let object = Self.object(of: request, at: time)
        objects[key] = object
        return FakeAnswer(headers: [(name: "etag", value: object.etag)])
    }

    static func object(of request: FakeRequest, at time: String) -> Object {
        var object = Object(bytes: request.body)
        object.metadata = request.headers.filter { $0.name.hasPrefix("x-amz-meta-") }
        object.storageClass = request.header("x-amz-storage-class")
        object.modified = time
        return object
    }

    func get(_ key: String, _ request: FakeRequest) -> FakeAnswer {
        guard let object = objects[key] else { return .error(404, "NoSuchKey") }
        var answer = FakeAnswer(headers: object.metadata + [(name: "etag", value: object.etag)])
        if let storageClass = object.storageClass {
            answer.headers.append((name: "x-amz-storage-class", value: storageClass))
        }
        let restore = restoreHeader(of: object)
        if let restore { answer.headers.append((name: "x-amz-restore", value: restore)) }
        if request.method == "HEAD" {
            answer.length = object.bytes.count
            return answer
        }
        let isReadable = !Self.coldClasses.contains(object.storageClass ?? "") || restore?.contains("false") == true
        if !isReadable { return .error(403, "InvalidObjectState") }
        guard let range = request.header("range") else {
            answer.body = object.bytes
            return answer
        }
        let bounds = range.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
        guard range.hasPrefix("bytes="), bounds.count == 2, bounds[0] <= bounds[1] else {
            return .error(400, "InvalidArgument")
        }
        if bounds[0] >= object.bytes.count { return .error(416, "InvalidRange") }
        let last = min(bounds[1], object.bytes.count - 1)
        answer.status = 206
        answer.headers.append((name: "content-range", value: "bytes \(bounds[0])-\(last)/\(object.bytes.count)"))
        answer.body = Array(object.bytes[bounds[0]...last])
        return answer
    }

    mutating func deleteMany(_ request: FakeRequest) -> FakeAnswer {
        guard request.header("content-md5") != nil, let root = try? XMLReader.read(request.body),
            root.name == "Delete", root.all("Object").count <= 1000
        else { return .error(400, "MalformedXML") }
        for object in root.all("Object") { objects[object.text("Key") ?? ""] = nil }
        return .xml("<DeleteResult></DeleteResult>")
    }

    func list(_ items: [String: String]) -> FakeAnswer {
        guard items["list-type"] == "2", let prefix = items["prefix"] else { return .error(400, "InvalidArgument") }
        let after = items["continuation-token"].map { String($0.dropFirst("after:".count)) } ?? ""
        let limit = min(pageSize, items["max-keys"].flatMap { Int($0) } ?? 1000)
        let keys = objects.keys.filter { $0.hasPrefix(prefix) && $0 > after }.sorted()
        var text = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for key in keys.prefix(limit) {
            let object = objects[key] ?? Object(bytes: [])
            text += "<Contents><Key>\(key.escapedForXML)</Key><LastModified>\(object.modified)</LastModified>"
            text += "<ETag>\(object.etag.escapedForXML)</ETag><Size>\(object.bytes.count)</Size></Contents>\n"
        }
        if keys.count > limit {
            text += "<IsTruncated>true</IsTruncated>"
            text += "<NextContinuationToken>after:\(keys[limit - 1])</NextContinuationToken>"
        } else {
            text += "<IsTruncated>false</IsTruncated>"
        }
        return .xml(text + "</ListBucketResult>")
    }

    // MARK: Archived objects

    private func restoreHeader(of object: Object) -> String? {
        if let restore = object.restore { return restore }
        guard let restored = object.restored, restored.until > now else { return nil }
        if restored.ready > now { return "ongoing-request=\"true\"" }
        return "ongoing-request=\"false\", expiry-date=\"\(Self.date(restored.until))\""
    }

    /// A moment as headers write it. Nobody reads the day of the week.
    private static func date(_ second: Int64) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let text = Array(SigningTime(Timestamp(nanoseconds: second * 1_000_000_000)).second)
        func part(_ range: Range<Int>) -> String { String(text[range]) }
        let month = months[(Int(part(4..<6)) ?? 1) - 1]
        return "Fri, \(part(6..<8)) \(month) \(part(0..<4)) \(part(9..<11)):\(part(11..<13)):\(part(13..<15)) GMT"
    }

    mutating func restore(_ key: String, _ request: FakeRequest) -> FakeAnswer {
        guard let root = try? XMLReader.read(request.body), root.name == "RestoreRequest",
            let days = root.text("Days").flatMap({ Int64($0) })
        else { return .error(400, "MalformedXML") }
        guard let object = objects[key] else { return .error(404, "NoSuchKey") }
        guard Self.coldClasses.contains(object.storageClass ?? "") else { return .error(403, "InvalidObjectState") }
        restoreTiers.append(root.child("GlacierJobParameters")?.text("Tier") ?? "")
        switch restoreHeader(of: object) {
        case nil: break
        case let header? where header.contains("true"): return .error(409, "RestoreAlreadyInProgress")
        default:
            objects[key]?.restored?.until = now + days * 86_400
            return FakeAnswer()
        }
        if let restoreDelay {
            objects[key]?.restored = (now + restoreDelay, now + restoreDelay + days * 86_400)
        } else {
            objects[key]?.restore = "ongoing-request=\"true\""
        }
        return FakeAnswer(status: 202)
    }

    // MARK: Uploads in parts

    mutating func begin(_ key: String, _ request: FakeRequest, at time: String) -> FakeAnswer {
        let id = "upload-\(nextUpload)"
        nextUpload += 1
        uploads[id] = Upload(key: key, object: Self.object(of: request, at: time), begun: time)
        return .xml(
            "<InitiateMultipartUploadResult><Key>\(key.escapedForXML)</Key><UploadId>\(id)</UploadId>"
                + "</InitiateMultipartUploadResult>")
    }

    mutating func putPart(_ items: [String: String], _ request: FakeRequest) -> FakeAnswer {
        guard let id = items["uploadId"], uploads[id] != nil else { return .error(404, "NoSuchUpload") }
        guard let number = items["partNumber"].flatMap({ Int($0) }), (1...10_000).contains(number) else {
            return .error(400, "InvalidArgument")
        }
        let part = Object(bytes: request.body)
        uploads[id]?.parts[number] = part
        return FakeAnswer(headers: [(name: "etag", value: part.etag)])
    }

    mutating func complete(_ key: String, _ id: String, _ request: FakeRequest) -> FakeAnswer {
        guard let upload = uploads[id], upload.key == key else { return .error(404, "NoSuchUpload") }
        if request.header("if-none-match") == "*", objects[key] != nil, !ignoresConditions { return .precondition }
        guard let root = try? XMLReader.read(request.body), root.name == "CompleteMultipartUpload" else {
            return .error(400, "MalformedXML")
        }
        var bytes: [UInt8] = []
        let named = root.all("Part")
        for (place, item) in named.enumerated() {
            guard let number = item.text("PartNumber").flatMap({ Int($0) }), let part = upload.parts[number],
                part.etag == item.text("ETag")
            else { return .error(400, "InvalidPart") }
            if place < named.count - 1, part.bytes.count < 5 << 20 { return .error(400, "EntityTooSmall") }
            bytes += part.bytes
        }
        if usedBytes + bytes.count > quota { return .error(403, "QuotaExceeded") }
        var object = upload.object
        object.bytes = bytes
        // As the ETag of an upload in parts is: no hash of the bytes.
        object.etag = "\"\(id)-\(named.count)\""
        objects[key] = object
        uploads[id] = nil
        return .xml("<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>")
    }

    mutating func abort(_ id: String) -> FakeAnswer {
        uploads.removeValue(forKey: id) == nil ? .error(404, "NoSuchUpload") : FakeAnswer(status: 204)
    }

    func listUploads(_ items: [String: String]) -> FakeAnswer {
        let after = (items["key-marker"] ?? "", items["upload-id-marker"] ?? "")
        let found = uploads.map { (key: $0.value.key, id: $0.key, begun: $0.value.begun) }
            .filter { $0.key.hasPrefix(items["prefix"] ?? "") && ($0.key, $0.id) > after }
            .sorted { ($0.key, $0.id) < ($1.key, $1.id) }
        var text = "<ListMultipartUploadsResult>"
        for upload in found.prefix(pageSize) {
            text += "<Upload><Key>\(upload.key.escapedForXML)</Key><UploadId>\(upload.id)</UploadId>"
            text += "<Initiated>\(upload.begun)</Initiated></Upload>"
        }
        if found.count > pageSize {
            text += "<IsTruncated>true</IsTruncated>"
            if let last = found.prefix(pageSize).last {
                text += "<NextKeyMarker>\(last.key.escapedForXML)</NextKeyMarker>"
                text += "<NextUploadIdMarker>\(last.id)</NextUploadIdMarker>"
            }
        }
        return .xml(text + "</ListMultipartUploadsResult>")
    }
}

extension FakeAnswer {
    static func xml(_ text: String) -> FakeAnswer {
        FakeAnswer(headers: [(name: "content-type", value: "application/xml")], body: Array(text.utf8))
    }

    static func error(_ status: Int, _ code: String) -> FakeAnswer {
        var answer = xml("<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>by the fake</Message></Error>")
        answer.status = status
        return answer
    }

    static let precondition = error(412, "PreconditionFailed")
}
