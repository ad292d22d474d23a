import ArgumentParser
import Logging
import Model

/// How a process that runs for long logs.
struct LogOptions: ParsableArguments {
    @Option(help: "The least level that is logged.")
    var logLevel = Logger.Level.info

    @Option(help: "How log lines look, on standard error.")
    var logFormat = LogFormat.text

    /// Sets the log up; to be called once, before anything is logged.
    func bootstrap() { Self.bootstrap(level: logLevel, format: logFormat) }

    /// Sets the log up; to be called once, before anything is logged.
    static func bootstrap(level: Logger.Level, format: LogFormat) {
        LoggingSystem.bootstrap(
            { label, provider in
                var handler: any LogHandler =
                    switch format {
                    case .text: StreamLogHandler.standardError(label: label, metadataProvider: provider)
                    case .json: JSONLogHandler(label: label, metadataProvider: provider, clock: SystemWallClock())
                    }
                handler.logLevel = level
                return handler
            }, metadataProvider: nil)
    }
}
