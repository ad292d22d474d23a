public import Model

/// A block that was copied to the other tier, and is to be found there from now on.
public struct BlockMove: Hashable, Sendable {
    /// Where it was when it was copied.
    public let from: StoredBlock
    /// The pack of the copy.
    public let pack: PackID
    /// Where in the pack the copy begins.
    public let offset: UInt64
    /// How many sealed bytes the copy has.
    public let length: UInt32

    /// Makes a move of its parts.
    public init(from: StoredBlock, pack: PackID, offset: UInt64, length: UInt32) {
        self.from = from
        self.pack = pack
        self.offset = offset
        self.length = length
    }
}

/// A day since 1970-01-01 UTC: as closely as it is known when a block was read.
public struct Day: Hashable, Comparable, Sendable {
    /// How many days after 1970-01-01; negative before.
    public let number: Int64

    /// Makes a day of its number.
    public init(number: Int64) {
        self.number = number
    }

    /// The day of a moment.
    public init(_ moment: Timestamp) {
        let seconds = moment.seconds
        number = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    }

    /// Orders days in time.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
