import Metadata
import Model
import Testing

extension MetadataConformance {
    private static let otherAccount = AccountID(high: 0xAC, low: 2)
    private static let otherNamespace = NamespaceID(high: 0x5A, low: 2)

    /// Devices 1 to 3 of one account, of which 3 is revoked, and 4 of another.
    private static func prepare(_ database: any MetadataDatabase) async throws {
        try await database.prepareHome()
        try await database.write { connection in
            try AccountQueries(connection).create(Fixture.accountRecord(otherAccount, name: "bob"))
            try NamespaceQueries(connection).create(otherNamespace, owner: otherAccount, at: Fixture.time)
            let devices = DeviceQueries(connection)
            for number in 1...3 as ClosedRange<UInt64> { try devices.create(Fixture.deviceRecord(number)) }
            try devices.create(Fixture.deviceRecord(4, account: otherAccount))
            try devices.revoke(DeviceID(high: 0xDE, low: 3), at: Fixture.time.advanced(by: .seconds(90)))
        }
    }

    static let followingChecks: [Check] = [
        Check("the devices that follow namespaces are those of their owners, without the revoked ones") { database in
            try await prepare(database)
            let pairs = try await database.read { connection in
                // Lists of several lengths, with namespaces twice and some that there are not.
                let many = (1...70).map { NamespaceID(high: 0x5A, low: $0) } + [Fixture.namespace]
                return try DeviceQueries(connection).following(many).map { "\($0.namespace.low)-\($0.device.low)" }
            }
            #expect(Set(pairs) == ["1-1", "1-2", "2-4"])
            #expect(try await database.read { try DeviceQueries($0).following([]).isEmpty })
        },
        Check("all devices come in pages, each once, revoked ones too") { database in
            try await prepare(database)
            for size in 1...5 {
                var last: DeviceID?
                var seen: [FollowingDevice] = []
                while true {
                    let after = last
                    let page = try await database.read { try DeviceQueries($0).page(after: after, atMost: size) }
                    #expect(page.count <= size)
                    seen += page
                    last = page.last?.device
                    if page.count < size { break }
                }
                #expect(seen.map(\.device.low) == [1, 2, 3, 4])
                #expect(seen.map(\.account) == [Fixture.account, Fixture.account, Fixture.account, otherAccount])
                #expect(seen.map { $0.revoked != nil } == [false, false, true, false])
            }
        },
        Check("the list of devices changed when another one last logged in or was revoked") { database in
            try await prepare(database)
            let (first, second) = (DeviceID(high: 0xDE, low: 1), DeviceID(high: 0xDE, low: 2))
            let alone = DeviceID(high: 0xDE, low: 4)
            let seen = try await database.read { connection in
                let queries = DeviceQueries(connection)
                return (
                    first: try queries.listChanged(of: Fixture.account, asSeenBy: first),
                    third: try queries.listChanged(of: Fixture.account, asSeenBy: DeviceID(high: 0xDE, low: 3)),
                    alone: try queries.listChanged(of: otherAccount, asSeenBy: alone)
                )
            }
            #expect(seen.first == Fixture.time.advanced(by: .seconds(90)))
            // The third sees the others, of which the second logged in last.
            #expect(seen.third == Fixture.time.advanced(by: .seconds(2)))
            #expect(seen.alone == nil)
            let later = Fixture.time.advanced(by: .seconds(100))
            try await database.write { try DeviceQueries($0).revoke(second, at: later) }
            let changed = try await database.read {
                try DeviceQueries($0).listChanged(of: Fixture.account, asSeenBy: first)
            }
            #expect(changed == later)
        },
    ]
}
