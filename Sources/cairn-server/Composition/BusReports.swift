import Logging
import MessagingLocal

/// What the bus between processes has to tell, as lines of the log.
enum BusReports {
    /// The server's end: a process was cut off.
    static func server(_ log: Logger) -> @Sendable (BusSocketError) -> Void {
        { error in log.warning("a process was cut off from the bus", metadata: ["cause": "\(error)"]) }
    }

    /// The other end: the connection to the server.
    static func link(_ log: Logger) -> @Sendable (SocketChangeBus.Connection) -> Void {
        { connection in
            switch connection {
            case .made: log.info("the server tells its news")
            case .lost(let error):
                log.warning("the server tells no news; trying again", metadata: ["cause": "\(error)"])
            }
        }
    }
}
