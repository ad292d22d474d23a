import Foundation
import NotificationReactor

/// Where devices poll with poll tokens, apart from the API, and how many may be parked there.
struct PollAddress {
    let address: ListenAddress
    let capacity: Int

    /// Reads the address of an option.
    /// - Parameters:
    ///   - text: `ADDRESS:PORT`, the address a number.
    ///   - capacity: the most polls.
    ///   - isInsecure: whether it may be reached from other machines: something in front of it speaks TLS.
    /// - Throws: ``Failure`` `configuration` when tokens would go in the clear.
    init(_ text: String, capacity: Int, isInsecure: Bool) throws {
        guard let address = ListenAddress(text) else {
            throw Failure(.usage, "'\(text)' is no address to listen on: use ADDRESS:PORT")
        }
        guard isInsecure || address.isLoopback else {
            throw Failure(
                .configuration,
                "\(text) can be reached from other machines, and devices poll without TLS there: tokens would go in the clear. "
                    + "Give --insecure-listen when a proxy in front of it speaks TLS.")
        }
        self.address = address
        self.capacity = capacity
    }

    /// How the reactor is to be made.
    var configuration: ReactorConfiguration {
        var configuration = ReactorConfiguration()
        configuration.address = address.host == "localhost" ? "127.0.0.1" : address.host
        configuration.port = UInt16(address.port)
        configuration.capacity = capacity
        configuration.threads = min(4, ProcessInfo.processInfo.activeProcessorCount)
        return configuration
    }

    /// The base URL, once the port is known.
    func url(port: UInt16) -> String { address.url(scheme: "http", port: Int(port)) }
}
