import Model

/// How the refusals of a commit are kept for whoever asks again: docs/format-journal.md says the same in words.
enum RefusalFormat {
    private static let version: UInt8 = 1

    static func encode(_ refusals: [Refusal]) -> [UInt8] {
        var writer = ByteWriter(capacity: 5 + refusals.count * 32)
        writer.append(version)
        writer.append(UInt32(refusals.count))
        for refusal in refusals {
            writer.append(refusal.node.bytes)
            switch refusal.reason {
            case .stale(nil): writer.append(UInt8(0))
            case .stale(let current?):
                writer.append(UInt8(1))
                writer.append(current.revision.number)
                writer.append(current.node, current.state)
            case .nameTaken(let other):
                writer.append(UInt8(2))
                writer.append(other.bytes)
            case .parentMissing: writer.append(UInt8(3))
            case .folderNotEmpty: writer.append(UInt8(4))
            case .cycle: writer.append(UInt8(5))
            case .kindChanged: writer.append(UInt8(6))
            }
        }
        return writer.bytes
    }

    /// - Throws: ``MetadataError`` `corrupt` for anything that ``encode(_:)`` does not give.
    static func decode(_ bytes: [UInt8]) throws -> [Refusal] {
        var reader = ByteReader(bytes)
        guard try reader.number(UInt8.self) == version else {
            throw MetadataError(.corrupt, "stored refusals are of an unknown version")
        }
        let count = try reader.number(UInt32.self)
        var refusals: [Refusal] = []
        for _ in 0..<count {
            let node: NodeID = try reader.id()
            refusals.append(Refusal(node: node, reason: try reason(&reader)))
        }
        guard reader.isAtEnd else { throw MetadataError(.corrupt, "stored refusals are followed by other bytes") }
        return refusals
    }

    private static func reason(_ reader: inout ByteReader) throws -> RefusalReason {
        switch try reader.number(UInt8.self) {
        case 0: return .stale(current: nil)
        case 1:
            let revision = Revision(try reader.number())
            let (node, state) = try reader.node()
            guard let state else { throw MetadataError(.corrupt, "a stored refusal names a state that is none") }
            return .stale(current: NodeRecord(node: node, revision: revision, state: state))
        case 2: return .nameTaken(by: try reader.id())
        case 3: return .parentMissing
        case 4: return .folderNotEmpty
        case 5: return .cycle
        case 6: return .kindChanged
        case let other: throw MetadataError(.corrupt, "a stored refusal has the unknown reason \(other)")
        }
    }
}
