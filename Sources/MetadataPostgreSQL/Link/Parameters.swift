import CPQ
import Metadata

/// The numbers by which PostgreSQL knows its types (pg_type.dat).
enum TypeNumber {
    static let unknown: Oid = 0
    static let bytes: Oid = 17
    static let integer: Oid = 20
    static let text: Oid = 25
}

/// The values of one execution, in PostgreSQL's binary form.
struct Parameters {
    /// The type of each; 0 for nothing, which is of any type.
    private(set) var types: [Oid] = []
    /// What all of them take, in bytes.
    var size: Int { bytes.count }

    private var bytes: [UInt8] = [0]
    private var starts: [Int] = []
    private var lengths: [Int32] = []

    init(_ values: [SQLValue]) {
        types.reserveCapacity(values.count)
        starts.reserveCapacity(values.count)
        lengths.reserveCapacity(values.count)
        for value in values { append(value) }
    }

    private mutating func append(_ value: SQLValue) {
        let start = bytes.count
        switch value {
        case .null:
            types.append(TypeNumber.unknown)
            starts.append(-1)
            lengths.append(0)
            return
        case .integer(let number):
            types.append(TypeNumber.integer)
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        case .text(let text):
            types.append(TypeNumber.text)
            bytes.append(contentsOf: text.utf8)
        case .blob(let blob):
            types.append(TypeNumber.bytes)
            bytes.append(contentsOf: blob)
        }
        starts.append(start)
        lengths.append(Int32(clamping: bytes.count - start))
    }

    /// Calls a body with the values, their lengths and their forms, as libpq wants them.
    func withPointers<Result>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Result
    ) -> Result {
        let forms = [Int32](repeating: 1, count: starts.count + 1)
        return bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            // A value without bytes still has an address: none would mean nothing.
            let pointers = starts.map { start in start < 0 ? nil : base.map { $0 + start } } + [nil]
            return pointers.withUnsafeBufferPointer { pointers in
                (lengths + [0]).withUnsafeBufferPointer { lengths in
                    forms.withUnsafeBufferPointer { forms in
                        guard let pointer = pointers.baseAddress, let length = lengths.baseAddress,
                            let form = forms.baseAddress
                        else { preconditionFailure("an array that is not empty has an address") }
                        return body(Int32(clamping: starts.count), pointer, length, form)
                    }
                }
            }
        }
    }
}
