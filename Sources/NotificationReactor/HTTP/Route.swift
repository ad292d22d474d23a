/// What a request asks for.
enum Route: UInt8, Sendable {
    case poll, health, ready, metrics
    /// There is no such path.
    case unknown
    /// The path is there, but not for this method: `POST` is the one.
    case onlyPost
    /// The path is there, but not for this method: `GET` is the one.
    case onlyGet

    /// The route of a method and a path.
    init(method: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer) {
        if Self.is(path, "/v1/poll") {
            self = Self.is(method, "POST") ? .poll : .onlyPost
        } else if Self.is(path, "/health") {
            self = Self.is(method, "GET") ? .health : .onlyGet
        } else if Self.is(path, "/ready") {
            self = Self.is(method, "GET") ? .ready : .onlyGet
        } else if Self.is(path, "/metrics") {
            self = Self.is(method, "GET") ? .metrics : .onlyGet
        } else {
            self = .unknown
        }
    }

    /// Whether bytes are this text.
    static func `is`(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in bytes.indices where bytes[index] != text.utf8Start[index] { return false }
        return true
    }
}
