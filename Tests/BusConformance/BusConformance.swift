public import Messaging
import Model

/// What every change bus must do. A bus's test opens it anew for each check and runs it.
public struct BusConformance: Sendable {
    /// One bus, as it is heard in several places.
    public struct Wires: Sendable {
        /// The bus in each place; all of them carry the same messages.
        public let ends: [any ChangeBus]
        /// Cuts the places off from each other for a moment; when it returns they are together again.
        public let interrupt: @Sendable () async throws -> Void
        /// Lets everything go.
        public let close: @Sendable () async -> Void

        /// Makes wires of their parts.
        public init(
            ends: [any ChangeBus], interrupt: @escaping @Sendable () async throws -> Void,
            close: @escaping @Sendable () async -> Void
        ) {
            self.ends = ends
            self.interrupt = interrupt
            self.close = close
        }
    }

    /// One promise of the contract.
    public struct Check: Sendable, CustomStringConvertible {
        /// The promise as a sentence.
        public let description: String
        let body: @Sendable (Wires) async throws -> Void

        /// Tries it with a bus.
        /// - Throws: ``BusConformanceFailure`` when it is not kept.
        public func run(_ open: () async throws -> Wires) async throws {
            let wires = try await open()
            do {
                try await body(wires)
            } catch {
                await wires.close()
                throw error
            }
            await wires.close()
        }
    }

    /// All checks.
    public static let checks: [Check] = deliveryChecks + lifetimeChecks + gapChecks

    /// A message that names its number.
    public static func message(_ number: UInt64, by device: UInt64 = 1) -> BusMessage {
        .changed(
            ChangeNotice(
                namespace: NamespaceID(high: 7, low: device), revision: Revision(number),
                kind: number % 2 == 0 ? .uploaded : .pending, device: DeviceID(high: 9, low: device)))
    }
}

/// A promise that was not kept.
public struct BusConformanceFailure: Error, CustomStringConvertible {
    /// What was not as it should be.
    public let description: String
}

/// Fails unless a condition holds.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw BusConformanceFailure(description: message()) }
}

extension BusConformance.Wires {
    /// A receiver at each end.
    func listen() -> (inboxes: [BusInbox], subscriptions: [BusSubscription]) {
        let inboxes = ends.map { _ in BusInbox() }
        return (inboxes, zip(ends, inboxes).map { end, inbox in end.subscribe(inbox.receive) })
    }
}
