import CPQ
import Metadata

/// Executions of one statement that go to the server together, with the types that fit all of them.
struct ParameterBatch {
    /// The most executions that go together: libpq keeps all until they are sent.
    static let mostRows = 256
    /// The most bytes that go together, but for what a single execution takes.
    static let mostBytes = 1 << 20

    private(set) var rows: [Parameters] = []
    /// For each value its type; 0 when nobody has one.
    private(set) var types: [Oid] = []
    private var bytes = 0

    init() {}

    init(_ values: [SQLValue]) {
        _ = add(Parameters(values))
    }

    /// Takes an execution in, unless the batch is full or its types are others.
    mutating func add(_ row: Parameters) -> Bool {
        if rows.isEmpty {
            types = row.types
        } else {
            guard rows.count < Self.mostRows, bytes + row.size <= Self.mostBytes, let merged = merged(row.types) else {
                return false
            }
            types = merged
        }
        rows.append(row)
        bytes += row.size
        return true
    }

    private func merged(_ others: [Oid]) -> [Oid]? {
        guard others.count == types.count else { return nil }
        var merged = types
        for (index, type) in others.enumerated() where type != TypeNumber.unknown {
            if merged[index] == TypeNumber.unknown { merged[index] = type }
            if merged[index] != type { return nil }
        }
        return merged
    }

    /// Executions in as few batches as they fit into, in order.
    static func batches(of rows: [[SQLValue]]) -> [ParameterBatch] {
        var batches: [ParameterBatch] = []
        var current = ParameterBatch()
        for values in rows {
            let row = Parameters(values)
            if current.add(row) { continue }
            batches.append(current)
            current = ParameterBatch()
            _ = current.add(row)
        }
        if !current.rows.isEmpty { batches.append(current) }
        return batches
    }
}
