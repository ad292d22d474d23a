import CHiredis

/// What a server answers.
enum RedisReply: Hashable, Sendable {
    case bytes([UInt8])
    case integer(Int64)
    case array([RedisReply])
    case status(String)
    case error(String)
    case null

    /// Copies what hiredis has read.
    init(_ reply: UnsafePointer<redisReply>) throws(RedisError) {
        let value = reply.pointee
        switch value.type {
        case REDIS_REPLY_STRING: self = .bytes(Self.bytes(value))
        case REDIS_REPLY_STATUS: self = .status(String(decoding: Self.bytes(value), as: UTF8.self))
        case REDIS_REPLY_ERROR: self = .error(String(decoding: Self.bytes(value), as: UTF8.self))
        case REDIS_REPLY_INTEGER: self = .integer(Int64(value.integer))
        case REDIS_REPLY_NIL: self = .null
        case REDIS_REPLY_ARRAY:
            var elements: [RedisReply] = []
            elements.reserveCapacity(value.elements)
            for index in 0..<value.elements {
                guard let element = value.element?[index] else { throw Self.unexpected }
                elements.append(try RedisReply(element))
            }
            self = .array(elements)
        default: throw Self.unexpected
        }
    }

    private static func bytes(_ reply: redisReply) -> [UInt8] {
        guard let start = reply.str else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: reply.len))
    }

    static var unexpected: RedisError { RedisError(.malformed, "Redis gave an answer of an unexpected form") }

    /// The elements of an array.
    func array() throws(RedisError) -> [RedisReply] {
        guard case .array(let elements) = self else { throw Self.unexpected }
        return elements
    }

    /// The bytes of a string.
    func bytes() throws(RedisError) -> [UInt8] {
        guard case .bytes(let bytes) = self else { throw Self.unexpected }
        return bytes
    }

    /// A string, or the word of a status.
    func text() throws(RedisError) -> String {
        switch self {
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .status(let text): return text
        default: throw Self.unexpected
        }
    }

    /// A number, also one that is written out.
    func integer() throws(RedisError) -> Int64 {
        switch self {
        case .integer(let number): return number
        case .bytes:
            guard let number = Int64(try text()) else { throw Self.unexpected }
            return number
        default: throw Self.unexpected
        }
    }
}
