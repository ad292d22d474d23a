public import Model

/// Decides how to compress a file by what it is: what is compressed already is stored, all else goes through zstd.
public struct CompressionPolicy: Hashable, Sendable {
    /// The zstd level for what is worth compressing.
    public let level: Int32

    /// Makes a policy.
    /// - Parameter level: The zstd level, -7 to 19.
    public init(level: Int32 = 1) {
        precondition((-7...19).contains(level), "zstd levels go from -7 to 19 here")
        self.level = level
    }

    /// For what changes often: processor time matters more than bytes.
    public static let fast = CompressionPolicy(level: 1)
    /// For what goes to the archive: written once, kept for years.
    public static let archive = CompressionPolicy(level: 19)

    /// Decides for a file, or for a block of it.
    ///
    /// The first bytes may say what the file is (a JPEG, a zip); else the name's extension does, unless the sample is
    /// plainly no such thing; else a histogram of at most 4 KiB, taken from all over the sample, tells bytes that no
    /// compressor makes smaller.
    /// - Parameters:
    ///   - name: The name of the file, where one is known.
    ///   - sample: The first bytes of the file, best a whole block; for a file of mixed parts, each block in turn.
    /// - Returns: What to try.
    /// - Complexity: O(1): 4 KiB are looked at.
    public func choose(name: NodeName?, sample: UnsafeRawBufferPointer) -> Compression {
        if CompressedFormats.areSignature(sample) { return .stored }
        let evenness = Evenness(of: sample)
        if let name, CompressedFormats.areExtension(of: name), evenness != .text { return .stored }
        return evenness == .random ? .stored : .zstd(level: level)
    }
}
