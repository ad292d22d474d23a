public import Model
public import Storage
import Synchronization

extension S3Archive {
    /// How many packs are asked about at a time.
    private static let parallel = 8
    /// What is late is asked about again after so long.
    private static let again = Duration.seconds(300)

    /// What the server says of a pack.
    private enum Standing {
        /// It lies under a class that can be read at once.
        case readable
        case restored(until: Timestamp?)
        case restoring
        case frozen
    }

    /// Asks that packs be thawed.
    @discardableResult
    public func thaw(_ packs: Set<PackID>) async throws -> [PackID: ThawState] {
        try await each(packs) { pack in
            guard let standing = try await self.look(pack) else { return nil }
            switch standing {
            case .frozen: return try await self.ask(for: pack)
            case .restored:
                let thawed = await self.state(standing, of: pack)
                // Asked for again and again it need not be told to the server each time.
                guard case .thawed(let until) = thawed,
                    until < self.clock.now().advanced(by: self.configuration.period / 2)
                else { return thawed }
                try await self.restore(pack)
                return .thawed(until: self.clock.now().advanced(by: self.configuration.period))
            case .readable, .restoring: return await self.state(standing, of: pack)
            }
        }
    }

    /// How things stand with packs.
    public func state(of packs: Set<PackID>) async throws -> [PackID: ThawState] {
        try await each(packs) { pack in
            guard let standing = try await self.look(pack) else { return nil }
            return await self.state(standing, of: pack)
        }
    }

    private func each(
        _ packs: Set<PackID>, _ body: @escaping @Sendable (PackID) async throws -> ThawState?
    ) async throws -> [PackID: ThawState] {
        try ensureOpen()
        return try await withThrowingTaskGroup(of: (PackID, ThawState?).self) { group in
            var states: [PackID: ThawState] = [:]
            for (place, pack) in packs.sorted().enumerated() {
                if place >= Self.parallel, let (done, state) = try await group.next() { states[done] = state }
                group.addTask { (pack, try await body(pack)) }
            }
            for try await (done, state) in group { states[done] = state }
            return states
        }
    }

    private func ask(for pack: PackID) async throws -> ThawState {
        try await restore(pack)
        let now = clock.now()
        let (delay, period) = (configuration.delay, configuration.period)
        await note { ledger in
            // What was noted before did not come about, or is past.
            ledger.forget(pack, at: now)
            ledger.ask(for: pack, at: now, delay: delay, period: period)
        }
        return .thawing(ready: now.advanced(by: delay))
    }

    private func restore(_ pack: PackID) async throws(StorageError) {
        let (days, tier) = (configuration.days, configuration.tier)
        _ = try await region.call("asking for pack \(pack)") { client throws(S3Failure) in
            try await client.restore(region.keys.pack(pack), days: days, tier: tier)
        }
    }

    /// What the server says; nil when there is no such pack.
    private func look(_ pack: PackID) async throws -> Standing? {
        let key = region.keys.pack(pack)
        let info: S3ObjectInfo
        do throws(StorageError) {
            info = try await region.call("looking for pack \(pack)") { client throws(S3Failure) in
                try await client.head(key)
            }
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        switch info.restore {
        case .ongoing?: return .restoring
        case .available(let until)?:
            return .restored(until: until.flatMap { SigningTime.seconds(ofDate: $0) }.map { Timestamp(seconds: $0) })
        case nil: return try await isReadable(key, info) ? .readable : .frozen
        }
    }

    /// Whether an object that nobody has asked for can be read all the same: not all classes are slow, and the names of
    /// those that are differ.
    private func isReadable(_ key: String, _ info: S3ObjectInfo) async throws(StorageError) -> Bool {
        if info.storageClass == nil || info.size == 0 { return true }
        return try await region.call("reading \(key)") { client throws(S3Failure) in
            do throws(S3Failure) {
                _ = try await client.get(key, range: 0..<1)
                return true
            } catch {
                if error.code == "InvalidObjectState" { return false }
                throw error
            }
        }
    }

    private func state(_ standing: Standing, of pack: PackID) async -> ThawState {
        let now = clock.now()
        switch standing {
        case .frozen: return .frozen
        case .readable: return .thawed(until: now.advanced(by: configuration.period))
        case .restored(let until):
            let noted = state.withLock { $0.ledger.entries[pack]?.until }
            return .thawed(until: until ?? noted ?? now.advanced(by: Self.again))
        case .restoring:
            if state.withLock({ $0.ledger.entries[pack] == nil }) { await learn() }
            let noted = state.withLock { $0.ledger.entries[pack]?.ready }
            // When it is late, or nobody knows who has asked: some more.
            return .thawing(ready: noted.flatMap { $0 > now ? $0 : nil } ?? now.advanced(by: Self.again))
        }
    }
}

extension Timestamp {
    fileprivate init(seconds: Int64) { self.init(nanoseconds: seconds * 1_000_000_000) }
}
