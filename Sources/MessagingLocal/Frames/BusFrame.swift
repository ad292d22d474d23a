import Messaging

/// What travels over a socket of the bus: a length of four bytes, most significant first, that counts what follows; a byte
/// that names the kind; the kind's own fields.
enum BusFrame: Hashable {
    /// The first frame in each direction.
    case hello(version: UInt8)
    /// From the server: a message with its number on the server's bus.
    case event(BusEvent)
    /// To the server: a message for everybody.
    case publish(BusMessage)
    /// From the server: the oldest message that was published and not acknowledged has reached the bus.
    case acknowledged
    /// To the server: messages that were to be published here may have been lost.
    case lost

    /// The version that both sides have to speak.
    static let version: UInt8 = 1
    /// The most bytes that a length may count. The longest frame of this version has 51.
    static let longest = 128

    private static let magic = Array("cairn bus".utf8)

    /// The frame with its length before it.
    var encoded: [UInt8] {
        var body: [UInt8] = []
        switch self {
        case .hello(let version): body = [1] + Self.magic + [version]
        case .event(let event):
            body = [2]
            body.append(bigEndian: event.sequence)
            body += event.message.encoded
        case .publish(let message): body = [3] + message.encoded
        case .acknowledged: body = [4]
        case .lost: body = [5]
        }
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt32(body.count))
        return bytes + body
    }

    /// Reads what follows a length.
    /// - Throws: ``BusSocketError`` `malformed` for anything but exactly one frame.
    init(decoding body: ArraySlice<UInt8>) throws(BusSocketError) {
        var fields = BusFields(body.dropFirst())
        switch body.first {
        case 1?:
            for byte in Self.magic where try fields.byte() != byte {
                throw BusSocketError(.malformed, "the first frame is none of this bus")
            }
            self = .hello(version: try fields.byte())
        case 2?: self = .event(BusEvent(sequence: try fields.number(), message: try BusMessage(from: &fields)))
        case 3?: self = .publish(try BusMessage(from: &fields))
        case 4?: self = .acknowledged
        case 5?: self = .lost
        default: throw BusSocketError(.malformed, "a frame is of no known kind")
        }
        try fields.end()
    }
}

extension [UInt8] {
    /// Appends a number, most significant byte first.
    mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
