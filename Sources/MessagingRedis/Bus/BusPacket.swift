import Messaging
import Model

/// What an instance of a bus is named by.
enum BusInstanceKind {}
/// Names one process's end of the bus, drawn when it is made: its numbers count what it has published.
typealias BusInstanceID = Identifier<BusInstanceKind>

/// A message as it travels over a channel: a byte 1 for the form, the instance that published it, its number there in eight
/// bytes, and the message.
struct BusPacket: Hashable {
    let instance: BusInstanceID
    /// 1 for the first that the instance published, then one more for each, also for those that were lost.
    let number: UInt64
    /// `resumed` says that earlier ones of the instance may be missing.
    let message: BusMessage

    private static let form: UInt8 = 1

    var encoded: [UInt8] {
        var bytes = [Self.form] + instance.bytes + Self.bytes(number)
        switch message {
        case .changed(let notice):
            bytes += [1, notice.kind == .pending ? 0 : 1] + notice.namespace.bytes
            bytes += Self.bytes(notice.revision.number) + notice.device.bytes
        case .revoked(let device): bytes += [2] + device.bytes
        case .resumed: bytes.append(3)
        }
        return bytes
    }

    init(instance: BusInstanceID, number: UInt64, message: BusMessage) {
        self.instance = instance
        self.number = number
        self.message = message
    }

    /// Reads a packet; nil for anything else.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 26, bytes[0] == Self.form, let instance = BusInstanceID(bytes: bytes[1..<17]),
            let message = Self.message(bytes[25...])
        else { return nil }
        self.init(instance: instance, number: Self.number(bytes[17..<25]), message: message)
    }

    private static func message(_ fields: ArraySlice<UInt8>) -> BusMessage? {
        let rest = Array(fields.dropFirst())
        switch (fields.first, rest.count) {
        case (1?, 41):
            guard rest[0] < 2, let namespace = NamespaceID(bytes: rest[1..<17]),
                let device = DeviceID(bytes: rest[25..<41])
            else { return nil }
            return .changed(
                ChangeNotice(
                    namespace: namespace, revision: Revision(number(rest[17..<25])),
                    kind: rest[0] == 0 ? .pending : .uploaded, device: device))
        case (2?, 16): return DeviceID(bytes: rest).map { .revoked($0) }
        case (3?, 0): return .resumed
        default: return nil
        }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
