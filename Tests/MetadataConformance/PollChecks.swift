import Metadata
import Model
import Testing

extension MetadataConformance {
    static let pollChecks: [Check] = [
        Check("the revisions of many namespaces are read together, each as far as it is") { database in
            try await database.prepareHome()
            let others = (1...600).map { NamespaceID(high: 0x5B, low: $0) }
            try await database.write { connection throws in
                for other in others {
                    try NamespaceQueries(connection).create(other, owner: Fixture.account, at: Fixture.time)
                }
            }
            try await database.commit(1, [NodeChange(1, Fixture.folder("a"))])
            try await database.commit(2, [NodeChange(2, Fixture.folder("b"))])
            let unknown = NamespaceID(high: 0x5C, low: 1)
            let asked = [Fixture.namespace] + others + [unknown, Fixture.namespace]
            let found = try await database.read { try NamespaceQueries($0).revisions(of: asked) }
            #expect(found.count == 601)
            #expect(Set(found.map(\.namespace)) == Set([Fixture.namespace] + others))
            let moved = Cursor(namespace: Fixture.namespace, revision: Revision(2))
            #expect(found.filter { $0.revision != .zero } == [moved])
            #expect(try await database.read { try NamespaceQueries($0).revisions(of: []) } == [])
        },
        Check("the devices that were revoked lately are listed, newest first, and no more than asked for") { database in
            try await database.prepareHome()
            let devices = (1...5).map { Fixture.deviceRecord($0) }
            try await database.write { connection throws in
                let queries = DeviceQueries(connection)
                for device in devices { try queries.create(device) }
                for (number, device) in devices.dropLast().enumerated() {
                    try queries.revoke(device.id, at: Fixture.time.advanced(by: .seconds(Int64(number))))
                }
            }
            let later = Fixture.time.advanced(by: .seconds(1))
            let lists = try await database.read { connection throws in
                let queries = DeviceQueries(connection)
                return [
                    try queries.revoked(since: Fixture.time, atMost: 9), try queries.revoked(since: later, atMost: 9),
                    try queries.revoked(since: later, atMost: 2),
                    try queries.revoked(since: later.advanced(by: .seconds(60)), atMost: 9),
                ]
            }
            let ids = devices.map(\.id)
            #expect(lists == [[ids[3], ids[2], ids[1], ids[0]], [ids[3], ids[2], ids[1]], [ids[3], ids[2]], []])
        },
    ]
}
