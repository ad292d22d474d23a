import Metadata

/// Decides when a job may be taken, from what was seen of it so far. It has no clock: who uses it tells how much of its own
/// time has passed.
struct LeaseWatch {
    /// For how long a holder must have been silent.
    let length: Duration
    private var seen: LeaseRecord?
    private var since = Duration.zero

    /// Makes a watch that has seen nothing.
    init(length: Duration) {
        self.length = length
    }

    /// Takes in what the database says.
    /// - Parameters:
    ///   - record: the job; nil when nobody ever took it.
    ///   - asked: when the question was sent.
    ///   - answered: when the answer was there.
    /// - Returns: whether the job may be taken, if it is still as it was found.
    mutating func mayTake(_ record: LeaseRecord?, asked: Duration, answered: Duration) -> Bool {
        guard let record, record.holder != nil else { return true }
        // What was found now was so at some moment between question and answer: the later end counts from there on, and the
        // earlier one up to here, so that the silence is never taken for longer than it was.
        guard record == seen else {
            (seen, since) = (record, answered)
            return false
        }
        return asked - since >= length
    }
}
