/// Bytes that wait to be sent to one receiver, up to a bound.
struct BusOutbox {
    /// The most bytes that may wait.
    let capacity: Int
    private var bytes: [UInt8] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    var isEmpty: Bool { bytes.isEmpty }

    /// Adds a frame. False when there is no room for it: the receiver has fallen behind.
    mutating func add(_ frame: [UInt8]) -> Bool {
        guard bytes.count + frame.count <= capacity else { return false }
        bytes += frame
        return true
    }

    /// Takes all that waits.
    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
