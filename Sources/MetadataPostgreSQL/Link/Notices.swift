import CPQ

/// The warnings that a server sends beside its answers.
///
/// libpq hands them in while it reads, on the thread that owns the connection.
final class Notices {
    private var warnings: [String] = []

    /// Takes the notices of a connection; it must stay for as long as that does.
    func receive(from connection: OpaquePointer) {
        PQsetNoticeReceiver(
            connection,
            { notices, result in
                guard let notices, let result else { return }
                Unmanaged<Notices>.fromOpaque(notices).takeUnretainedValue().add(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func add(_ result: OpaquePointer) {
        guard let severity = PQresultErrorField(result, Int32(UInt8(ascii: "V"))),
            String(cString: severity) == "WARNING", warnings.count < 16
        else { return }
        warnings.append(ServerError(result).message)
    }

    /// The warnings that came since the last call.
    func take() -> [String] {
        defer { warnings = [] }
        return warnings
    }
}
