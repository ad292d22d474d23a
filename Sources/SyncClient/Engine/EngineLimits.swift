/// The bounds that decide how changes travel. Tests set small ones, so that small files take the ways of large ones.
struct EngineLimits: Hashable, Sendable {
    /// Up to so many plaintext bytes of a content ride along with the announcement, so that a small file or a small
    /// edit takes one round trip. Above, the server is asked first what it lacks.
    var inlineLength: UInt64 = 1 << 20
    /// From so many bytes that may be new on, a content is sent in windows, ahead of its commit.
    var windowedFrom: UInt64 = 64 << 20
    /// Most plaintext bytes that are asked about at once, in one window.
    var windowLength: UInt64 = 128 << 20
    /// Most plaintext bytes of one request that carries blocks, either way.
    var batchLength = 4 << 20
    /// Most requests that carry blocks at once, either way: with ``batchLength`` the bound on memory.
    var requests = 3
    /// Most changes in one commit.
    var changesInCommit = 2000
    /// Most new files in one plan.
    var newInPlan = 2048
    /// Most steps that are applied at once.
    var stepsInPortion = 200
}
