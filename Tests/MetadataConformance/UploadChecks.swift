import Metadata
import Model
import Testing

private func blocks(_ numbers: UInt64...) -> [BlockID] { numbers.map { Fixture.block($0) } }

extension MetadataConformance {
    static let uploadChecks: [Check] = [
        Check("an upload comes back with its items and its change-set") { database in
            let items = [1, 2].map {
                UploadItem(
                    node: Fixture.node($0), parent: .root, name: Fixture.name("f\($0)"), size: UInt64(Int64.max) - $0)
            }
            let upload = Fixture.uploadRecord(1, changes: [1, 2], items: items)
            try await database.write { try UploadQueries($0).create(upload) }
            #expect(try await database.read { try UploadQueries($0).byID(upload.id) } == upload)
            #expect(try await database.read { try UploadQueries($0).byID(Fixture.upload(2)) } == nil)
            await #expect(throws: MetadataError(.alreadyExists, "")) {
                try await database.write { try UploadQueries($0).create(upload) }
            }
        },
        Check("the pending uploads of a namespace are listed, oldest first") { database in
            try await database.write { connection throws in
                let uploads = UploadQueries(connection)
                for number in [2, 1, 3] as [UInt64] { try uploads.create(Fixture.uploadRecord(number, changes: [7])) }
                try uploads.create(Fixture.uploadRecord(4, state: .uploaded))
                try uploads.setState(Fixture.upload(2), .uploaded)
            }
            let pending = try await database.read { try UploadQueries($0).pending(in: Fixture.namespace) }
            #expect(pending == [Fixture.uploadRecord(1), Fixture.uploadRecord(3)])
            let elsewhere = NamespaceID(high: 1, low: 1)
            #expect(try await database.read { try UploadQueries($0).pending(in: elsewhere) }.isEmpty)
        },
        Check("the pending uploads of one device come with their change-sets, oldest first") { database in
            let (device, other) = (Fixture.uploadRecord(1).device, DeviceID(high: 77, low: 77))
            try await database.write { connection throws in
                let uploads = UploadQueries(connection)
                for number in [3, 1, 2] as [UInt64] {
                    try uploads.create(Fixture.uploadRecord(number, changes: [UInt8(number)]))
                }
                try uploads.setState(Fixture.upload(2), .superseded)
                let foreign = Fixture.uploadRecord(4, changes: [4])
                try uploads.create(
                    UploadRecord(
                        id: foreign.id, account: foreign.account, namespace: foreign.namespace, device: other,
                        created: foreign.created, expires: foreign.expires, items: [], changes: [4]))
            }
            let pending = try await database.read { try UploadQueries($0).pending(in: Fixture.namespace, of: device) }
            #expect(pending == [Fixture.uploadRecord(1, changes: [1]), Fixture.uploadRecord(3, changes: [3])])
            let foreign = try await database.read { try UploadQueries($0).pending(in: Fixture.namespace, of: other) }
            #expect(foreign.map(\.changes) == [[4]])
        },
        Check("an upload may be remembered as withdrawn before it was ever announced") { database in
            try await database.write { try UploadQueries($0).create(Fixture.uploadRecord(1, state: .withdrawn)) }
            let record = try await database.read { try UploadQueries($0).byID(Fixture.upload(1)) }
            #expect(record == Fixture.uploadRecord(1, state: .withdrawn))
            let pending = try await database.read { try UploadQueries($0).pending(in: Fixture.namespace) }
            #expect(pending.isEmpty)
            let later = Fixture.time.advanced(by: .seconds(200_000))
            #expect(try await database.write { try UploadQueries($0).forget(before: later) } == 1)
        },
        Check("an upload is named when the last block that it waits for is durable, and only then") { database in
            try await database.write { connection throws in
                let uploads = UploadQueries(connection)
                try uploads.create(Fixture.uploadRecord(1, changes: [1]))
                try uploads.create(Fixture.uploadRecord(2, changes: [2]))
                try uploads.addMissing(Fixture.upload(1), blocks(1, 2, 2))
                try uploads.addMissing(Fixture.upload(1), blocks(2, 3))
                try uploads.addMissing(Fixture.upload(2), blocks(2))
                #expect(try uploads.missing(Fixture.upload(1), limit: 9) == blocks(1, 2, 3).sorted())
                #expect(try uploads.missing(Fixture.upload(1), limit: 2) == Array(blocks(1, 2, 3).sorted().prefix(2)))
                #expect(try uploads.settle(blocks(1, 9), account: Fixture.account) == [])
                #expect(try uploads.settle(blocks(2), account: AccountID(high: 9, low: 9)) == [])
                #expect(try uploads.settle(blocks(2), account: Fixture.account) == [Fixture.upload(2)])
                #expect(try uploads.settle(blocks(2), account: Fixture.account) == [])
                #expect(try uploads.settle(blocks(3), account: Fixture.account) == [Fixture.upload(1)])
            }
        },
        Check("an upload without its change-set is not named, and gets it later") { database in
            try await database.write { connection throws in
                let uploads = UploadQueries(connection)
                try uploads.create(Fixture.uploadRecord(1))
                try uploads.addMissing(Fixture.upload(1), blocks(1))
                #expect(try uploads.settle(blocks(1), account: Fixture.account) == [])
                try uploads.setChanges(Fixture.upload(1), [5])
                #expect(try uploads.missing(Fixture.upload(1), limit: 1).isEmpty)
                try uploads.addMissing(Fixture.upload(1), blocks(2))
                #expect(try uploads.settle(blocks(2), account: Fixture.account) == [Fixture.upload(1)])
                #expect(try uploads.byID(Fixture.upload(1))?.changes == [5])
            }
        },
        Check(
            "an upload that ended waits for nothing and keeps no change-set",
            { database in
                for (place, state) in UploadState.allCases.filter({ $0 != .pending }).enumerated() {
                    let number = UInt64(place) + 1
                    try await database.write { connection throws in
                        let (uploads, id) = (UploadQueries(connection), Fixture.upload(number))
                        try uploads.create(Fixture.uploadRecord(number, changes: [1]))
                        try uploads.addMissing(id, blocks(number))
                        try uploads.setState(id, state)
                        #expect(try uploads.byID(id) == Fixture.uploadRecord(number, state: state))
                        #expect(try uploads.missing(id, limit: 1).isEmpty)
                        #expect(try uploads.settle(blocks(number), account: Fixture.account) == [])
                        #expect(throws: MetadataError(.notFound, "")) { try uploads.setChanges(id, [1]) }
                    }
                }
            }),
        Check("an upload that is not there can't be changed") { database in
            try await database.write { connection throws in
                let (uploads, id) = (UploadQueries(connection), Fixture.upload(1))
                #expect(throws: MetadataError(.notFound, "")) { try uploads.setChanges(id, [1]) }
                #expect(throws: MetadataError(.notFound, "")) { try uploads.setState(id, .expired) }
                #expect(throws: MetadataError(.notFound, "")) { try uploads.addMissing(id, blocks(1)) }
            }
        },
        Check("pending uploads end when their time has come, the oldest first") { database in
            let day = Duration.seconds(86_400)
            try await database.write { connection throws in
                let uploads = UploadQueries(connection)
                for number in 1...4 as ClosedRange<UInt64> {
                    try uploads.create(Fixture.uploadRecord(number, changes: [1]))
                    try uploads.addMissing(Fixture.upload(number), blocks(number))
                }
                try uploads.setState(Fixture.upload(1), .uploaded)
                let due = Fixture.time.advanced(by: day + .seconds(3))
                #expect(try uploads.expire(before: due.advanced(by: .seconds(-2))).isEmpty)
                let first = try uploads.expire(before: due, limit: 1)
                #expect(first.map(\.id) == [Fixture.upload(2)] && first.map(\.namespace) == [Fixture.namespace])
                #expect(try uploads.expire(before: due).map(\.id) == [Fixture.upload(3)])
                #expect(try uploads.expire(before: due).isEmpty)
                #expect(try uploads.byID(Fixture.upload(3))?.state == .expired)
                #expect(try uploads.settle(blocks(2, 3), account: Fixture.account) == [])
                #expect(try uploads.pending(in: Fixture.namespace).map(\.id) == [Fixture.upload(4)])
            }
        },
        Check("ended uploads and old refusals are forgotten, pending uploads never") { database in
            try await database.prepareHome()
            let refused = [NodeChange(1, base: 5, Fixture.file("a"))]
            #expect(try await !database.commit(90, refused).refusals.isEmpty)
            let item = UploadItem(node: Fixture.node(1), parent: .root, name: Fixture.name("a"), size: 1)
            try await database.write { connection throws in
                let uploads = UploadQueries(connection)
                try uploads.create(Fixture.uploadRecord(1, items: [item]))
                try uploads.create(Fixture.uploadRecord(2, items: [item], state: .uploaded))
                #expect(try uploads.forget(before: Fixture.time) == 0)
                #expect(try uploads.forget(before: Fixture.time.advanced(by: .seconds(200_000))) == 2)
                #expect(try uploads.byID(Fixture.upload(1)) != nil)
                #expect(try uploads.byID(Fixture.upload(2)) == nil)
                #expect(try CommitQueries(connection).outcome(of: Fixture.upload(90), in: Fixture.namespace) == nil)
            }
        },
    ]
}
