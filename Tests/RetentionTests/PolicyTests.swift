import Testing

@testable import Retention

@Suite("Policies as documents")
struct PolicyTests {
    @Test(
        "lengths of time",
        arguments: [
            ("90s", 90, "90s", "90 seconds"), ("2m", 120, "2m", "2 minutes"), ("1h", 3600, "1h", "1 hour"),
            ("7d", 604_800, "7d", "7 days"), ("2w", 1_209_600, "14d", "14 days"), ("1y", 31_536_000, "1y", "1 year"),
            ("0s", 0, "0s", "0 seconds"), ("24h", 86_400, "1d", "1 day"),
        ])
    func spans(text: String, seconds: Int64, written: String, words: String) throws {
        let span = try #require(Span(text))
        #expect(span.seconds == seconds)
        #expect(span.text == written)
        #expect("\(span)" == words)
        #expect(Span(span.text) == span)
    }

    @Test(
        "what is no length of time",
        arguments: ["", "1", "d", "-1d", "1.5h", "1 d", "1M", "9999999y", "99999999999999999999s"])
    func noSpans(text: String) {
        #expect(Span(text) == nil)
    }

    @Test("what is missing in a document is as in its base")
    func bases() throws {
        #expect(try RetentionPolicy(parsing: "{}") == .standard)
        #expect(try RetentionPolicy(parsing: " default\n") == .standard)
        #expect(try RetentionPolicy(parsing: "keep-all") == .keepAll)
        #expect(try RetentionPolicy(parsing: #"{"base":"keep-all"}"#) == .keepAll)
        let some = try RetentionPolicy(parsing: #"{"base":"keep-all","max_versions":50}"#)
        #expect(some.maxVersions == 50)
        #expect(some.ladder == RetentionPolicy.keepAll.ladder)
        #expect(!some.yieldsToQuota)
    }

    @Test("all fields are read, and null takes a limit away")
    func fields() throws {
        let policy = try RetentionPolicy(
            parsing: """
                {"ladder":[{"keep":"all","for":"1d"},{"keep":"hourly","for":"7d"},{"keep":"monthly"}],"collapse":"2m",
                 "max_versions":500,"min_age":"3h","keep_deleted":"90d","yields_to_quota":false}
                """)
        #expect(policy.ladder.map(\.keep) == [.all, .hourly, .monthly])
        #expect(policy.ladder.map { $0.upTo?.text } == ["1d", "7d", nil])
        #expect(policy.collapse?.seconds == 120)
        #expect(policy.minAge.seconds == 10_800)
        #expect(policy.keepDeleted?.text == "90d")
        #expect(!policy.yieldsToQuota)
        let none = try RetentionPolicy(parsing: #"{"collapse":null,"max_versions":null,"keep_deleted":null}"#)
        #expect(none.collapse == nil && none.maxVersions == nil && none.keepDeleted == nil)
        #expect(try RetentionPolicy(parsing: #"{"collapse":"0s"}"#).collapse == nil)
    }

    @Test("what is written is read as the same", arguments: 0..<50 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        for policy in [Versions.policy(seed, maxVersions: Int(seed) + 1), Versions.policy(seed)] {
            #expect(try RetentionPolicy(parsing: policy.document) == policy)
        }
        for (name, policy) in RetentionPolicy.named {
            #expect(try RetentionPolicy(parsing: policy.document) == policy)
            #expect(policy.name == name)
        }
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ("keepall", "keepall"), ("", "no policy"), ("{", "policy"), ("[]", "[]"),
            (#"{"max_version":5}"#, "'max_version' is not known"),
            (#"{"ladder":[{"keep":"all","four":"1d"}]}"#, "'four' is not known"),
            (#"{"ladder":[]}"#, "at least one step"), (#"{"ladder":[{"for":"1d"}]}"#, "'keep' is missing"),
            (#"{"ladder":[{"keep":"often"}]}"#, "can't keep 'often'"),
            (#"{"ladder":[{"keep":"daily"},{"keep":"weekly"}]}"#, "no end"),
            (#"{"ladder":[{"keep":"daily","for":"7d"},{"keep":"weekly","for":"7d"}]}"#, "go further"),
            (#"{"ladder":[{"keep":"daily","for":"7d"},{"keep":"hourly","for":"8d"}]}"#, "keeps more"),
            (#"{"ladder":[{"keep":"daily","for":"0d"}]}"#, "no time at all"),
            (#"{"max_versions":0}"#, "at least 1"), (#"{"max_versions":"5"}"#, "max_versions"),
            (#"{"collapse":"2h"}"#, "at most 1h"), (#"{"collapse":120}"#, "collapse"),
            (#"{"min_age":"soon"}"#, "'soon' is no time"), (#"{"base":"mine"}"#, "'mine'"),
        ])
    func errors(text: String, words: String) throws {
        do {
            _ = try RetentionPolicy(parsing: text)
            Issue.record("\(text) was taken for a policy")
        } catch {
            #expect(error.description.contains(words), "\(error)")
        }
    }
}
