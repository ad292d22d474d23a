import Foundation
import HTTPTypes
import Hummingbird
import Model
import WireProtocol

extension Problem {
    static func invalid(_ detail: String) -> Problem {
        Problem(code: .invalidRequest, title: "Invalid request", status: 400, detail: detail)
    }
}

extension APIRequestContext {
    /// An identifier in the path of the request.
    func identifier<Kind>(_ name: String) throws -> Identifier<Kind> {
        guard let text = parameters.get(name), let identifier = Identifier<Kind>(hex: text) else {
            throw Problem.invalid("the \(name) in the path is not 32 hexadecimal digits")
        }
        return identifier
    }
}

extension Request {
    /// The text of a parameter of the query; nil when it is not there.
    func text(_ name: String) -> String? {
        uri.queryParameters[Substring(name)].map(String.init)
    }

    /// A number in the query; nil when it is not there.
    func number(_ name: String) throws -> UInt64? {
        guard let text = text(name) else { return nil }
        guard let number = UInt64(text), number <= UInt64(Int64.max) else {
            throw Problem.invalid("'\(name)' is not a number")
        }
        return number
    }

    /// A body in JSON.
    func json<Value: Decodable>(_ type: Value.Type, atMost limit: Int) async throws -> Value {
        let bytes = try await BodyReading.bytes(self, atMost: limit)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw Problem.invalid("the body is not the JSON that this route takes")
        }
    }
}
