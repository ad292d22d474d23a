import Metadata
import Model
import Testing

extension MetadataConformance {
    static let accountChecks: [Check] = [
        Check("an account is found by its name and by its id") { database in
            let record = Fixture.accountRecord()
            try await database.write { try AccountQueries($0).create(record) }
            let found = try await database.read { connection throws in
                let accounts = AccountQueries(connection)
                return [
                    try accounts.byName("ada"), try accounts.byID(record.id), try accounts.byName("Ada"),
                    try accounts.byID(AccountID(high: 0, low: 0)),
                ]
            }
            #expect(found == [record, record, nil, nil])
        },
        Check("no two accounts have one name or one id") { database in
            let other = AccountID(high: 9, low: 9)
            try await database.write { try AccountQueries($0).create(Fixture.accountRecord()) }
            for rival in [Fixture.accountRecord(other), Fixture.accountRecord(name: "bob")] {
                await #expect(throws: MetadataError(.alreadyExists, "")) {
                    try await database.write { try AccountQueries($0).create(rival) }
                }
            }
        },
        Check("the password and the wrapped key of an account can be replaced, nothing else is touched") { database in
            var record = Fixture.accountRecord()
            try await database.write { [record] connection in
                let accounts = AccountQueries(connection)
                try accounts.create(record)
                try accounts.setPassword(record.id, hash: "new")
                try accounts.setWrappedKey(record.id, masterKey: .max, wrappedKey: [])
            }
            (record.passwordHash, record.masterKey, record.wrappedKey) = ("new", .max, [])
            #expect(try await database.read { try AccountQueries($0).all() } == [record])
        },
        Check("an account that is not there can't be changed") { database in
            await #expect(throws: MetadataError(.notFound, "")) {
                try await database.write { try AccountQueries($0).setPassword(Fixture.account, hash: "x") }
            }
            await #expect(throws: MetadataError(.notFound, "")) {
                try await database.write {
                    try AccountQueries($0).setWrappedKey(Fixture.account, masterKey: 1, wrappedKey: [1])
                }
            }
        },
        Check("a device is found by the hash of its token until it is revoked") { database in
            try await database.prepareHome()
            let device = Fixture.deviceRecord(1)
            try await database.write { try DeviceQueries($0).create(device) }
            #expect(try await database.read { try DeviceQueries($0).byTokenHash(device.tokenHash) } == device)
            #expect(try await database.read { try DeviceQueries($0).byTokenHash(Fixture.digest(2)) } == nil)
            let later = Fixture.time.advanced(by: .seconds(60))
            try await database.write { connection throws in
                try DeviceQueries(connection).revoke(device.id, at: Fixture.time)
                try DeviceQueries(connection).revoke(device.id, at: later)
            }
            #expect(try await database.read { try DeviceQueries($0).byTokenHash(device.tokenHash) } == nil)
            #expect(try await database.read { try DeviceQueries($0).byID(device.id)?.revoked } == Fixture.time)
        },
        Check("no two devices have one token, not even when the first is revoked") { database in
            try await database.prepareHome()
            let first = Fixture.deviceRecord(1)
            let second = DeviceRecord(
                id: DeviceID(high: 0xDE, low: 2), account: Fixture.account, name: "", tokenHash: first.tokenHash,
                created: Fixture.time)
            try await database.write { connection throws in
                try DeviceQueries(connection).create(first)
                try DeviceQueries(connection).revoke(first.id, at: Fixture.time)
            }
            await #expect(throws: MetadataError(.alreadyExists, "")) {
                try await database.write { try DeviceQueries($0).create(second) }
            }
        },
        Check("a device belongs to an account that is there") { database in
            await #expect(throws: MetadataError(.constraint, "")) {
                try await database.write { try DeviceQueries($0).create(Fixture.deviceRecord(1)) }
            }
        },
        Check("the devices of an account are listed, oldest first") { database in
            try await database.prepareHome()
            let other = AccountID(high: 9, low: 9)
            try await database.write { connection throws in
                try AccountQueries(connection).create(Fixture.accountRecord(other, name: "bob"))
                for number in [3, 1, 2] as [UInt64] {
                    try DeviceQueries(connection).create(Fixture.deviceRecord(number))
                }
                try DeviceQueries(connection).create(Fixture.deviceRecord(4, account: other))
            }
            let found = try await database.read { try DeviceQueries($0).all(of: Fixture.account) }
            #expect(found == [1, 2, 3].map { Fixture.deviceRecord($0) })
        },
        Check("a device that is heard of is noted, never earlier than before") { database in
            try await database.prepareHome()
            let device = Fixture.deviceRecord(1)
            let (early, late) = (Fixture.time, Fixture.time.advanced(by: .seconds(5)))
            try await database.write { connection throws in
                let devices = DeviceQueries(connection)
                try devices.create(device)
                for time in [early, late, early] { try devices.touch(device.id, at: time) }
                try devices.touch(DeviceID(high: 1, low: 1), at: late)
            }
            #expect(try await database.read { try DeviceQueries($0).byID(device.id)?.lastSeen } == late)
            await #expect(throws: MetadataError(.notFound, "")) {
                try await database.write { try DeviceQueries($0).revoke(DeviceID(high: 1, low: 1), at: late) }
            }
        },
        Check("a namespace begins at revision 0 and is seen by its owner alone") { database in
            try await database.prepareHome()
            let (other, second) = (AccountID(high: 9, low: 9), NamespaceID(high: 0x5A, low: 0))
            try await database.write { connection throws in
                try AccountQueries(connection).create(Fixture.accountRecord(other, name: "bob"))
                try NamespaceQueries(connection).create(second, owner: Fixture.account, at: Fixture.time)
            }
            let origin = [second, Fixture.namespace].map { Head(namespace: $0, revision: .zero, hash: .origin) }
            try await database.read { connection throws in
                let namespaces = NamespaceQueries(connection)
                #expect(try namespaces.heads(of: Fixture.account) == origin)
                #expect(try namespaces.all(visibleTo: Fixture.account) == [second, Fixture.namespace])
                #expect(try namespaces.heads(of: other).isEmpty)
                #expect(try namespaces.all(visibleTo: other).isEmpty)
                #expect(try namespaces.owner(of: second) == Fixture.account)
                #expect(try namespaces.owner(of: NamespaceID(high: 0, low: 0)) == nil)
                #expect(try namespaces.head(of: NamespaceID(high: 0, low: 0)) == nil)
            }
        },
        Check("a namespace is made once, for an account that is there") { database in
            try await database.prepareHome()
            await #expect(throws: MetadataError(.alreadyExists, "")) {
                try await database.write {
                    try NamespaceQueries($0).create(Fixture.namespace, owner: Fixture.account, at: Fixture.time)
                }
            }
            await #expect(throws: MetadataError(.constraint, "")) {
                try await database.write {
                    try NamespaceQueries($0).create(
                        NamespaceID(high: 1, low: 1), owner: AccountID(high: 7, low: 7), at: Fixture.time)
                }
            }
        },
    ]
}
