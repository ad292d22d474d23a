import Model
import Retention
import TestSupport

/// Versions that tests make up.
enum Versions {
    /// When tests take place: 2026-01-02 03:04:05 UTC, a Friday.
    static let now = Timestamp(nanoseconds: 1_767_323_045_000_000_000)
    static let laptop = DeviceID(high: 0, low: 1)
    static let phone = DeviceID(high: 0, low: 2)

    static func content(_ number: UInt64, size: UInt64 = 1000) -> Content {
        Content(id: ContentID(level: 0, digest: Digest(words: (number, 0, 0, 0))), size: size)
    }

    /// Versions that were made so many seconds ago, each ended by the next; the last is the present one, unless the file
    /// was deleted so many seconds ago.
    static func made(
        secondsAgo ages: [Int64], deleted: Int64? = nil, by devices: [DeviceID] = [laptop], now: Timestamp = now
    ) -> [FileVersion] {
        func time(_ age: Int64) -> Timestamp { now.advanced(by: .seconds(-age)) }
        return ages.enumerated().map { index, age in
            let end = index + 1 < ages.count ? ages[index + 1] : deleted
            var version = FileVersion(
                revision: Revision(UInt64(index + 1)), time: time(age), ended: end.map(time),
                content: content(UInt64(index + 1)), device: devices[index % devices.count])
            version.isFirst = index == 0
            return version
        }
    }

    /// A history from a seed: bursts and pauses over some years, two devices, a few pins, sizes that jump. Some files were
    /// deleted.
    static func random(_ seed: UInt64, now: Timestamp = now) -> [FileVersion] {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...120, using: &random)
        var age = Int64.random(in: 0...40_000, using: &random)
        var ages: [Int64] = []
        for _ in 0..<count {
            ages.append(age)
            let scale: [Int64] = [20, 200, 3000, 40_000, 400_000, 4_000_000]
            age += Int64.random(in: 0...scale[Int.random(in: 0..<scale.count, using: &random)], using: &random)
        }
        ages.reverse()
        let isDeleted = Int.random(in: 0..<4, using: &random) == 0
        let deleted = isDeleted ? Int64.random(in: 0...(ages.last ?? 0), using: &random) : nil
        return made(secondsAgo: ages, deleted: deleted, by: [laptop, laptop, phone], now: now).map { version in
            var version = version
            version.content = content(version.revision.number, size: UInt64.random(in: 0...100_000, using: &random))
            version.isPinned = Int.random(in: 0..<15, using: &random) == 0
            return version
        }
    }

    /// A policy from a seed.
    static func policy(_ seed: UInt64, maxVersions: Int? = nil) -> RetentionPolicy {
        var random = SeededGenerator(seed: seed)
        var steps: [LadderStep] = []
        var (keep, end) = (0, Int64(0))
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            keep = Int.random(in: keep..<Granularity.allCases.count, using: &random)
            end += Int64.random(in: 1...20_000_000, using: &random)
            steps.append(LadderStep(keep: Granularity.allCases[keep], upTo: Span(seconds: end)))
        }
        if Bool.random(using: &random) {
            steps.append(LadderStep(keep: Granularity.allCases[keep], upTo: nil))
        }
        let collapses: [Int64?] = [nil, 5, 30, 120, 600, 3600]
        do {
            return try RetentionPolicy(
                ladder: steps,
                collapse: collapses[Int.random(in: 0..<collapses.count, using: &random)].map { Span(seconds: $0) },
                maxVersions: maxVersions, minAge: Span(seconds: Int64.random(in: 0...100_000, using: &random)),
                keepDeleted: Bool.random(using: &random)
                    ? nil : Span(seconds: Int64.random(in: 0...50_000_000, using: &random)))
        } catch {
            preconditionFailure("\(error)")
        }
    }
}

extension RetentionPolicy {
    /// The versions that stay.
    func kept(_ versions: [FileVersion], now: Timestamp = Versions.now, freeing: UInt64 = 0) -> [FileVersion] {
        decide(versions, now: now, freeing: freeing).filter { $0.verdict.isKept }.map(\.version)
    }

    /// The numbers of the versions that stay.
    func keptNumbers(_ versions: [FileVersion], now: Timestamp = Versions.now, freeing: UInt64 = 0) -> [UInt64] {
        kept(versions, now: now, freeing: freeing).map(\.revision.number).sorted()
    }
}
