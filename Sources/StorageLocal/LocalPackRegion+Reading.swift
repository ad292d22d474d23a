import Glibc
public import Model
import Storage

extension LocalPackRegion {
    /// How many bytes one read may fetch for several ranges.
    private static let runLimit: UInt64 = 2 << 20
    /// Ranges this far apart are still read in one go: the bytes between cost less than a call.
    private static let gapLimit: UInt64 = 16 << 10

    /// Reads ranges of a pack, neighbours in one go.
    public func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]] {
        try await reading.run {
            try self.ensureOpen()
            let file = try self.cache.file(of: pack) { try self.openForReading(pack) }
            var answers: [[UInt8]] = []
            answers.reserveCapacity(ranges.count)
            var first = 0
            while first < ranges.count {
                let last = Self.endOfRun(ranges, from: first)
                try self.read(ranges[first..<last], of: file, in: pack, into: &answers)
                first = last
            }
            return answers
        }
    }

    /// The index after the last range that is read together with the first.
    static func endOfRun(_ ranges: [Range<UInt64>], from first: Int) -> Int {
        var end = ranges[first].upperBound
        var next = first + 1
        while next < ranges.count {
            let range = ranges[next]
            guard range.lowerBound >= ranges[next - 1].lowerBound, range.lowerBound <= end + gapLimit,
                range.upperBound <= ranges[first].lowerBound + runLimit
            else { break }
            end = max(end, range.upperBound)
            next += 1
        }
        return next
    }

    private func read(
        _ run: ArraySlice<Range<UInt64>>, of file: OpenFile, in pack: PackID, into answers: inout [[UInt8]]
    ) throws(StorageError) {
        let start = run.first?.lowerBound ?? 0
        let end = run.map(\.upperBound).max() ?? start
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(end - start), alignment: 16)
        defer { buffer.deallocate() }
        let count = try explaining(folder.sealed(pack)) { () throws(SystemCallFailure) in
            try file.read(into: buffer, at: start)
        }
        for range in run {
            let lower = min(count, Int(range.lowerBound - start))
            let upper = min(count, Int(range.upperBound - start))
            answers.append([UInt8](UnsafeRawBufferPointer(rebasing: buffer[lower..<upper])))
        }
    }

    private func openForReading(_ pack: PackID) throws(StorageError) -> OpenFile {
        // Twice: the pack may be sealed, and so renamed, between the two looks.
        for path in [folder.sealed(pack), folder.unsealed(pack), folder.sealed(pack)] {
            do throws(SystemCallFailure) {
                return try OpenFile(path, O_RDONLY, calls)
            } catch {
                if error.errno != ENOENT { throw StorageError(error, on: path, in: folder.directory) }
            }
        }
        try ensurePresent()
        throw StorageError(.notFound, "\(folder.directory) has no pack \(pack)")
    }
}
