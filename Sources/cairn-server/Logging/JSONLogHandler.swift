import Foundation
import HTTPAPI
import Logging
import Model
import Synchronization

/// Writes each event as one line of JSON to standard error.
struct JSONLogHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()
    var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let clock: any WallClock

    /// One line at a time, whatever thread it comes from.
    private static let output = Mutex(FileHandle.standardError)

    init(label: String, metadataProvider: Logger.MetadataProvider?, clock: any WallClock) {
        self.label = label
        self.clock = clock
        self.metadataProvider = metadataProvider
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
        if let own = event.metadata { fields.merge(own) { _, new in new } }
        let line = line(level: event.level, message: "\(event.message)", fields: fields)
        Self.output.withLock { $0.write(Data(line.utf8)) }
    }

    private func line(level: Logger.Level, message: String, fields: Logger.Metadata) -> String {
        var object: [String: Any] = fields.mapValues { "\($0)" }
        object["time"] = Dates.iso8601(clock.now())
        object["level"] = level.rawValue
        object["label"] = label
        object["message"] = message
        // Strings under string keys always make valid JSON.
        let data =
            (try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]))
            ?? Data()
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
