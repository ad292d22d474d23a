import Foundation

/// Where commands write for people and scripts: the one place that does.
enum Output {
    /// Writes a line to standard output, at once.
    static func line(_ text: String) {
        print(text)
        // Whoever waits for the line through a pipe gets it now.
        fflush(nil)
    }

    /// Writes a line to standard error: what is not the answer itself.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
