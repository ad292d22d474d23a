import Blocks
import Model
import TestSupport
import WireProtocol

/// Random messages of every kind.
struct SampleMessages {
    var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    mutating func flag() -> Bool { Bool.random(using: &generator) }

    mutating func id<Kind>() -> Identifier<Kind> { Identifier(using: &generator) }

    mutating func digest() -> Digest {
        Digest(words: (generator.next(), generator.next(), generator.next(), generator.next()))
    }

    mutating func list<Element>(_ most: Int, _ make: (inout SampleMessages) -> Element) -> [Element] {
        (0..<number(0...most)).map { _ in make(&self) }
    }

    mutating func name() -> NodeName {
        while true {
            if let name = try? NodeName(bytes: generator.bytes(number(1...255))) { return name }
        }
    }

    mutating func block() -> EncodedBlock {
        let length = number(0...300)
        return EncodedBlock(
            id: BlockID(digest()), codec: flag() ? .stored : .zstd, length: length, payload: generator.bytes(length))
    }

    mutating func contentID() -> ContentID { ContentID(level: UInt8(number(0...4)), digest: digest()) }

    mutating func payload(inline: [EncodedBlock]) -> NodePayload {
        switch number(0...3) {
        case 0: return .folder
        case 1: return .symlink(target: generator.bytes(number(0...60)))
        case 2: return .file(Content(id: contentID(), size: generator.next()))
        default:
            guard let block = inline.first else { return .file(.empty) }
            return .file(
                Content(id: ContentID(level: 0, digest: block.id.digest), size: UInt64(block.length)))
        }
    }

    mutating func state(inline: [EncodedBlock] = []) -> NodeState {
        NodeState(
            parent: id(), name: name(), payload: payload(inline: inline), mode: UInt16(number(0...0o7777)),
            modified: Timestamp(nanoseconds: Int64(bitPattern: generator.next())))
    }

    mutating func uploadRequest() -> UploadRequest {
        let blocks = list(5) { $0.block() }
        return UploadRequest(
            upload: id(), complete: flag(),
            items: list(3) { UploadItem(node: $0.id(), parent: $0.id(), name: $0.name(), size: $0.generator.next()) },
            changes: list(8) { sample in
                NodeChange(
                    node: sample.id(), base: Revision(sample.generator.next() >> 8),
                    state: sample.flag() ? sample.state(inline: blocks) : nil)
            },
            pages: list(4) { $0.generator.bytes($0.number(0...90)) }, blocks: blocks)
    }

    mutating func refusal() -> Refusal {
        let node: NodeID = id()
        let reasons: [RefusalReason] = [
            .stale(current: nil),
            .stale(current: NodeRecord(node: node, revision: Revision(UInt64(number(1...99))), state: state())),
            .nameTaken(by: id()), .parentMissing, .folderNotEmpty, .cycle, .kindChanged,
        ]
        return Refusal(node: node, reason: reasons[number(0...reasons.count - 1)])
    }

    mutating func outcome() -> UploadOutcome {
        switch number(0...2) {
        case 0: .committed(revision: Revision(generator.next()), hash: CommitHash(digest()))
        case 1:
            .pending(
                missingBlocks: list(6) { BlockID($0.digest()) }, missingPages: list(6) { PageID($0.digest()) })
        default: .refused(list(6) { $0.refusal() })
        }
    }

    mutating func changes() -> ChangesResponse {
        ChangesResponse(
            head: Head(namespace: id(), revision: Revision(generator.next()), hash: CommitHash(digest())),
            entries: list(9) { sample in
                NodeAtRevision(
                    node: sample.id(), revision: Revision(sample.generator.next()),
                    state: sample.flag() ? sample.state() : nil)
            },
            next: flag() ? ChangesPosition(revision: Revision(generator.next()), node: id()) : nil)
    }

    /// One message of each kind.
    mutating func all() -> [any WireMessage & Equatable] {
        [
            uploadRequest(), outcome(), changes(),
            BlockBatch(blocks: list(5) { $0.block() }), BlockNames(blocks: list(9) { BlockID($0.digest()) }),
            StoredResponse(added: number(0...99), outcome: flag() ? outcome() : nil),
            PageBatch(pages: list(5) { $0.generator.bytes($0.number(0...200)) }),
            PageQuestion(items: list(5) { .init(want: $0.contentID(), have: $0.flag() ? $0.contentID() : nil) }),
            MissingResponse(blocks: list(9) { BlockID($0.digest()) }),
            PollRequest(
                cursors: list(6) { Cursor(namespace: $0.id(), revision: Revision($0.generator.next())) },
                timeout: UInt32(number(0...86_400))),
            PollResponse(
                moved: list(6) {
                    .init(namespace: $0.id(), revision: Revision($0.generator.next()), pending: $0.flag())
                }),
        ]
    }
}
