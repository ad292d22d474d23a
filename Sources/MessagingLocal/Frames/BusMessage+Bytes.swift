import Messaging
import Model

extension BusMessage {
    /// The message as fields of a frame: a byte that names the kind, then the kind's own.
    var encoded: [UInt8] {
        switch self {
        case .changed(let notice):
            var bytes: [UInt8] = [1, notice.kind == .pending ? 0 : 1]
            bytes += notice.namespace.bytes
            bytes.append(bigEndian: notice.revision.number)
            return bytes + notice.device.bytes
        case .revoked(let device): return [2] + device.bytes
        case .resumed: return [3]
        }
    }

    /// Takes a message from the fields of a frame.
    /// - Throws: ``BusSocketError`` `malformed`.
    init(from fields: inout BusFields) throws(BusSocketError) {
        switch try fields.byte() {
        case 1:
            let kind: ChangeNotice.Kind
            switch try fields.byte() {
            case 0: kind = .pending
            case 1: kind = .uploaded
            default: throw BusSocketError(.malformed, "a notice is neither pending nor uploaded")
            }
            self = .changed(
                ChangeNotice(
                    namespace: try fields.identifier(), revision: Revision(try fields.number()), kind: kind,
                    device: try fields.identifier()))
        case 2: self = .revoked(try fields.identifier())
        case 3: self = .resumed
        default: throw BusSocketError(.malformed, "a message is of no known kind")
        }
    }
}
