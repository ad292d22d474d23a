import Model
import Storage

extension SealedPack {
    /// Cuts records into parts, each of which fits into a pack; a record larger than a pack is a part of its own.
    static func parts(of records: [[UInt8]], packSize: Int) -> [[[UInt8]]] {
        let room = packSize - header(of: PackID(high: 0, low: 0)).count
        var parts: [[[UInt8]]] = []
        var size = 0
        for record in records {
            precondition(record.count <= maximumRecordLength, "a record of \(record.count) bytes")
            let length = frameLength(of: record)
            if parts.isEmpty || size + length > room {
                parts.append([record])
                size = length
            } else {
                parts[parts.count - 1].append(record)
                size += length
            }
        }
        return parts
    }
}
