import Model
import TestSupport
import Testing

@testable import Retention

private let seeds = Array(0..<300 as Range<UInt64>)

@Suite("What holds for every history and every policy")
struct PropertyTests {
    /// A later moment, from a seed.
    private func later(_ seed: UInt64) -> Timestamp {
        var random = SeededGenerator(seed: seed &+ 5000)
        return Versions.now.advanced(by: .seconds(Int64.random(in: 0...60_000_000, using: &random)))
    }

    @Test("the present version, pinned ones, the first and young ones never go", arguments: seeds)
    func guards(seed: UInt64) {
        let versions = Versions.random(seed)
        for policy in [Versions.policy(seed, maxVersions: 1), Versions.policy(seed), .standard] {
            for (version, verdict) in policy.decide(versions, now: Versions.now, freeing: .max) where !verdict.isKept {
                #expect(!version.isCurrent)
                #expect(!version.isPinned)
                let lastUse = version.ended ?? Versions.now
                #expect(lastUse.advanced(by: .seconds(policy.minAge.seconds)) <= Versions.now)
                let isGone = versions.allSatisfy { !$0.isCurrent }
                #expect(!version.isFirst || isGone)
                if isGone, let deleted = versions.last?.ended {
                    let limit = policy.keepDeleted.map { deleted.advanced(by: .seconds($0.seconds)) }
                    let isGuarded = limit.map { $0 > Versions.now } ?? true
                    #expect(!isGuarded || !(version.isFirst || version.revision == versions.last?.revision))
                }
            }
        }
    }

    @Test("thinning at two times keeps what thinning at the later one keeps", arguments: seeds)
    func twice(seed: UInt64) {
        let versions = Versions.random(seed)
        // The guards of a deleted file end at some time: see the next test.
        guard versions.contains(where: \.isCurrent) else { return }
        for policy in [Versions.policy(seed), .standard.without(limit: true)] {
            let end = later(seed)
            let first = policy.kept(versions)
            #expect(policy.keptNumbers(first, now: end) == policy.keptNumbers(versions, now: end))
        }
    }

    @Test("where a guard ends in between, more may be kept, never less", arguments: seeds)
    func endingGuards(seed: UInt64) {
        let versions = Versions.random(seed)
        let policy = Versions.policy(seed)
        let end = later(seed)
        func unpinned(_ versions: [FileVersion]) -> [FileVersion] {
            versions.map { version in
                var version = version
                version.isPinned = false
                return version
            }
        }
        let twice = Set(policy.keptNumbers(unpinned(policy.kept(versions)), now: end))
        #expect(twice.isSuperset(of: policy.keptNumbers(unpinned(versions), now: end)))
    }

    @Test("versions that come in between change nothing of that", arguments: seeds)
    func arrivals(seed: UInt64) {
        let all = Versions.random(seed)
        let policy = Versions.policy(seed)
        guard all.contains(where: \.isCurrent), all.count > 2 else { return }
        let known = Array(all[..<(all.count / 2)])
        let last = known[known.count - 1]
        var present = known
        present[known.count - 1].ended = nil
        let early = last.time.advanced(by: .seconds(1))
        let kept = Set(policy.keptNumbers(present, now: early))
        let left = all.filter { kept.contains($0.revision.number) } + all[known.count...]
        #expect(policy.keptNumbers(left) == policy.keptNumbers(all))
    }

    @Test("a second time at the same moment nothing goes", arguments: seeds)
    func idempotent(seed: UInt64) {
        let versions = Versions.random(seed)
        for policy in [Versions.policy(seed, maxVersions: Int(seed % 20) + 1), Versions.policy(seed)] {
            let once = policy.kept(versions)
            #expect(policy.keptNumbers(once) == once.map(\.revision.number).sorted())
        }
    }

    @Test("the order in which versions are given does not matter", arguments: seeds)
    func order(seed: UInt64) {
        let versions = Versions.random(seed)
        var random = SeededGenerator(seed: seed &+ 9000)
        let policy = Versions.policy(seed, maxVersions: 9)
        let shuffled = versions.shuffled(using: &random)
        let (left, right) = (policy.decide(versions, now: Versions.now), policy.decide(shuffled, now: Versions.now))
        #expect(left.map(\.version) == right.map(\.version))
        #expect(left.map(\.verdict) == right.map(\.verdict))
    }

    @Test("a policy that keeps more keeps all that the other keeps", arguments: seeds)
    func supersets(seed: UInt64) throws {
        let versions = Versions.random(seed)
        let policy = Versions.policy(seed)
        let kept = policy.keptNumbers(versions)
        var random = SeededGenerator(seed: seed)
        let ladder = policy.ladder.map { step in
            let finer = Granularity.allCases.filter { $0 <= step.keep }
            return LadderStep(keep: finer[Int.random(in: 0..<finer.count, using: &random)], upTo: step.upTo)
        }
        let rising = ladder.indices.map { index in
            LadderStep(keep: ladder[index...].map(\.keep).min() ?? .all, upTo: ladder[index].upTo)
        }
        let larger = try [
            policy.with(ladder: rising), policy.with(minAge: Span(seconds: policy.minAge.seconds * 2 + 100)),
            policy.with(collapse: policy.collapse.map { Span(seconds: $0.seconds / 3) }),
            policy.with(collapse: .some(nil)),
            policy.with(ladder: [LadderStep(keep: .all, upTo: nil)]),
        ]
        for more in larger { #expect(Set(more.keptNumbers(versions)).isSuperset(of: kept)) }
        let counts = [1, 2, 5, 20, 100].map { Set(Versions.policy(seed, maxVersions: $0).keptNumbers(versions)) }
        for (fewer, more) in zip(counts, counts.dropFirst()) { #expect(more.isSuperset(of: fewer)) }
        #expect(Set(kept).isSuperset(of: counts[4]))
    }

    @Test("the limit on the number holds wherever guards leave room", arguments: seeds)
    func limit(seed: UInt64) {
        let most = Int(seed % 12) + 1
        let policy = Versions.policy(seed, maxVersions: most)
        let decisions = policy.decide(Versions.random(seed), now: Versions.now)
        let kept = decisions.filter(\.verdict.isKept)
        let onlyLadder = kept.filter { if case .keep(.ladder) = $0.verdict { true } else { false } }
        #expect(kept.count <= most || onlyLadder.isEmpty)
    }

    @Test("bytes are freed as asked, as few as need be, and the more the less is left", arguments: seeds)
    func freeing(seed: UInt64) {
        let versions = Versions.random(seed)
        let policy = Versions.policy(seed)
        var before = Set(policy.keptNumbers(versions))
        for bytes in [1, 50_000, 400_000, .max] as [UInt64] {
            let decisions = policy.decide(versions, now: Versions.now, freeing: bytes)
            let gone = decisions.filter { $0.verdict == .go(.overQuota) }
            let freed = gone.reduce(0) { $0 + $1.version.content.size }
            let rest = decisions.filter { if case .keep(.ladder) = $0.verdict { true } else { false } }
            #expect(freed >= bytes || rest.isEmpty)
            let largest = gone.map(\.version.content.size).max() ?? 0
            #expect(freed < bytes || freed - largest < bytes)
            let left = Set(policy.keptNumbers(versions, freeing: bytes))
            #expect(left.isSubset(of: before))
            before = left
        }
        #expect(RetentionPolicy.keepAll.kept(versions, freeing: .max).count == versions.count)
        // Deleted files may give their ends, too: all but what is young or pinned. Others give nothing more.
        let all = policy.decide(versions, now: Versions.now, freeing: .max, givesDeleted: true).filter(\.verdict.isKept)
        if versions.contains(where: \.isCurrent) {
            #expect(Set(all.map(\.version.revision.number)) == before)
        } else {
            let left = all.map(\.version)
            #expect(
                left.allSatisfy {
                    let ended = $0.ended ?? Versions.now
                    return $0.isPinned || ended.advanced(by: .seconds(policy.minAge.seconds)) > Versions.now
                })
        }
    }

    @Test("the ladder keeps what a plain reading of the rules keeps", arguments: seeds)
    func reference(seed: UInt64) {
        let versions = Versions.random(seed)
        let policy = Versions.policy(seed).without(limit: true)
        let decisions = policy.decide(versions, now: Versions.now)
        for (version, verdict) in decisions {
            let age = (Versions.now.nanoseconds - version.time.nanoseconds) / 1_000_000_000
            let step = policy.ladder.first { age < $0.upTo?.seconds ?? .max }
            switch verdict {
            case .keep(.ladder(let wanted)):
                #expect(wanted == step)
                if let piece = wanted.keep.piece(of: version.time) {
                    #expect(
                        !versions.contains { wanted.keep.piece(of: $0.time) == piece && $0.revision > version.revision }
                    )
                }
            case .keep: break
            case .go(.thinned(let wanted)):
                #expect(wanted == step)
                let piece = wanted.keep.piece(of: version.time)
                #expect(versions.contains { wanted.keep.piece(of: $0.time) == piece && $0.revision > version.revision })
            case .go(.expired): #expect(step == nil)
            case .go(.replaced(let seconds)):
                let next = versions.first { $0.revision > version.revision && $0.device == version.device }
                let gap = (next?.time.nanoseconds ?? 0) - version.time.nanoseconds
                #expect(gap / 1_000_000_000 == seconds)
                #expect(seconds <= policy.collapse?.seconds ?? -1)
            case .go: Issue.record("\(verdict) without a limit")
            }
        }
    }
}

extension RetentionPolicy {
    func with(
        ladder: [LadderStep]? = nil, collapse: Span?? = nil, minAge: Span? = nil
    ) throws -> RetentionPolicy {
        try RetentionPolicy(
            ladder: ladder ?? self.ladder, collapse: collapse ?? self.collapse, maxVersions: maxVersions,
            minAge: minAge ?? self.minAge, keepDeleted: keepDeleted)
    }

    func without(limit: Bool) -> RetentionPolicy {
        do {
            return try RetentionPolicy(
                ladder: ladder, collapse: collapse, maxVersions: nil, minAge: minAge, keepDeleted: keepDeleted)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
