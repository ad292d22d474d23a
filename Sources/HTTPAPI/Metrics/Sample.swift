/// One value for `/metrics` that is asked for when it is needed.
public struct Sample: Hashable, Sendable {
    /// What kind of value it is.
    public enum Kind: String, Hashable, Sendable {
        /// It only grows, until the process ends.
        case counter
        /// It goes up and down.
        case gauge
    }

    /// The name of the metric.
    public let name: String
    /// What kind of value it is.
    public let kind: Kind
    /// What tells the series of a metric apart.
    public let labels: [String: String]
    /// The value.
    public let value: Double

    /// Makes a sample of its parts.
    public init(_ name: String, _ kind: Kind, labels: [String: String] = [:], _ value: Double) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.value = value
    }
}
