public import Model

extension RetentionPolicy {
    /// A version with what becomes of it.
    public typealias Decision = (version: FileVersion, verdict: Verdict)

    /// Decides about the versions of one file.
    ///
    /// Guards come first: the present version, pinned ones, the first, those that were present less than ``minAge`` ago, and
    /// what has the bytes of the present one never go, nor do the first and the last of a file that was deleted less than
    /// ``keepDeleted`` ago. Of the others, rapid saves collapse, the ladder thins, the limit on the number takes those of the
    /// least value (``VersionValues``), and last, when bytes are to be freed, again those of the least value go.
    ///
    /// Without a limit and a need for bytes, deciding twice at two times gives the same as deciding once at the later: what
    /// went at the first time would go at the second too, for the newest of a coarser piece of time is the newest of each
    /// finer piece that it lies in. Where a guard is taken away in between (a pin, the end of ``keepDeleted``) more may be kept,
    /// never less.
    /// - Parameters:
    ///   - versions: those that are kept until now, in any order; no two of one revision.
    ///   - now: the present moment.
    ///   - bytes: how many bytes this file should free beyond what the rules free, because the account is over its quota.
    ///   - givesDeleted: whether for that the first and the last of a deleted file may go too, before ``keepDeleted`` is over.
    /// - Returns: all versions, oldest first.
    /// - Complexity: O(n log n).
    public func decide(
        _ versions: [FileVersion], now: Timestamp, freeing bytes: UInt64 = 0, givesDeleted: Bool = false
    ) -> [Decision] {
        let ordered = versions.sorted { ($0.time, $0.revision) < ($1.time, $1.revision) }
        var verdicts = rules(ordered, now)
        var values = VersionValues(ordered, kept: verdicts.map(\.isKept), removable: removable(verdicts), now: now)
        if let maxVersions {
            while values.count > maxVersions, let worst = values.removeLeast() {
                verdicts[worst] = .go(.overLimit(maxVersions))
            }
        }
        if givesDeleted, yieldsToQuota {
            let all = givable(ordered, verdicts, now)
            values = VersionValues(ordered, kept: verdicts.map(\.isKept), removable: all, now: now)
        }
        var freed: UInt64 = 0
        while yieldsToQuota, freed < bytes, let worst = values.removeLeast() {
            verdicts[worst] = .go(.overQuota)
            freed += ordered[worst].ownBytes ?? ordered[worst].content.size
        }
        return Array(zip(ordered, verdicts))
    }

    /// Those that no guard keeps: only the ladder does.
    private func removable(_ verdicts: [Verdict]) -> [Bool] {
        verdicts.map { if case .keep(.ladder) = $0 { true } else { false } }
    }

    /// Those, and the ends of a deleted file that nothing but ``keepDeleted`` keeps.
    private func givable(_ versions: [FileVersion], _ verdicts: [Verdict], _ now: Timestamp) -> [Bool] {
        let isDeleted = versions.allSatisfy { !$0.isCurrent }
        return zip(versions, zip(verdicts, removable(verdicts))).map { version, state in
            switch state.0 {
            case .keep(.first), .keep(.lastOfDeleted): isDeleted && !isYoung(version, now)
            default: state.1
            }
        }
    }

    private func isYoung(_ version: FileVersion, _ now: Timestamp) -> Bool {
        minAge.isLonger(than: max(version.time, version.ended ?? version.time), to: now)
    }

    private func rules(_ versions: [FileVersion], _ now: Timestamp) -> [Verdict] {
        let guards = guards(versions, now)
        let replaced = replacements(versions)
        let ladder = LadderPieces(ladder, versions)
        return versions.indices.map { index in
            if let reason = guards[index] { return .keep(reason) }
            if let seconds = replaced[index] { return .go(.replaced(after: seconds)) }
            return ladder.verdict(index, versions[index], now)
        }
    }

    private func guards(_ versions: [FileVersion], _ now: Timestamp) -> [KeepReason?] {
        let last = versions.max { $0.revision < $1.revision }
        let isDeleted = last.map { !$0.isCurrent } ?? false
        var endsGuarded = true
        if isDeleted, let keepDeleted, let ended = last?.ended {
            endsGuarded = keepDeleted.isLonger(than: ended, to: now)
        }
        return versions.map { version in
            if version.isCurrent { return .current }
            if version.isPinned { return .pinned }
            if version.isFirst, endsGuarded { return .first }
            if isDeleted, endsGuarded, version.revision == last?.revision { return .lastOfDeleted(keepDeleted) }
            if version.isPresentAgain { return .presentAgain }
            if isYoung(version, now) { return .young(minAge) }
            return nil
        }
    }

    /// For each version the seconds until the same device saved again, where that was soon and in the same burst.
    ///
    /// A burst ends at the latest where its piece of time does, however long the device goes on saving.
    private func replacements(_ versions: [FileVersion]) -> [Int64?] {
        var found = [Int64?](repeating: nil, count: versions.count)
        guard let collapse else { return found }
        let length = Self.burstLength(collapse)
        var next: [DeviceID: Timestamp] = [:]
        for index in versions.indices.reversed() {
            let version = versions[index]
            defer { next[version.device] = version.time }
            guard let later = next[version.device] else { continue }
            let gap = Span.seconds(from: version.time, to: later)
            let piece = (version.time.seconds.floored(by: length), later.seconds.floored(by: length))
            if gap <= Double(collapse.seconds), piece.0 == piece.1 { found[index] = Int64(gap) }
        }
        return found
    }

    /// The pieces of time at whose ends bursts end: at least five times as long as the pause that does not end one, where that
    /// fits into an hour. Each length divides the next one and the hour, so that what is the newest of an hour is never
    /// replaced.
    static func burstLength(_ collapse: Span) -> Int64 {
        [60, 300, 600, 1800, 3600].first { $0 >= 5 * collapse.seconds } ?? 3600
    }
}

extension Int64 {
    fileprivate func floored(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

/// The newest version of each piece of time, for the granularities of a ladder.
struct LadderPieces {
    private let ladder: [LadderStep]
    private var newest: [Granularity: [Int64: Int]] = [:]

    /// Takes versions, oldest first.
    init(_ ladder: [LadderStep], _ versions: [FileVersion]) {
        self.ladder = ladder
        for granularity in Set(ladder.map(\.keep)) where granularity != .all {
            var pieces: [Int64: Int] = [:]
            for (index, version) in versions.enumerated() {
                if let piece = granularity.piece(of: version.time) { pieces[piece] = index }
            }
            newest[granularity] = pieces
        }
    }

    func verdict(_ index: Int, _ version: FileVersion, _ now: Timestamp) -> Verdict {
        let step = ladder.first { $0.upTo?.isLonger(than: version.time, to: now) ?? true }
        guard let step else { return .go(.expired(ladder.last?.upTo ?? Span(seconds: 0))) }
        guard let piece = step.keep.piece(of: version.time) else { return .keep(.ladder(step)) }
        return newest[step.keep]?[piece] == index ? .keep(.ladder(step)) : .go(.thinned(step))
    }
}
