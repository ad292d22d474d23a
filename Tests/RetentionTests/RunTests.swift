import Model
import Testing

@testable import Retention

@Suite("Versions of states")
struct RunTests {
    private func row(
        _ from: UInt64, _ to: UInt64?, content: UInt64?, pinned: Bool = false, thinned: Bool = false,
        device: DeviceID = Versions.laptop
    ) -> VersionRow {
        VersionRow(
            from: Revision(from), to: to.map { Revision($0) }, content: content.map { Versions.content($0) },
            began: Timestamp(nanoseconds: Int64(from)), ended: to.map { Timestamp(nanoseconds: Int64($0)) },
            device: device, isPinned: pinned, isThinned: thinned)
    }

    @Test("states with the same bytes are one version, pinned when one of them is")
    func runs() {
        let rows = [
            row(1, 3, content: 1), row(3, 4, content: 1, pinned: true, device: Versions.phone), row(4, 9, content: 2),
            row(9, nil, content: 3),
        ]
        let versions = FileVersion.versions(of: rows)
        #expect(versions.map(\.revision.number) == [1, 4, 9])
        #expect(versions[0].past.map(\.number) == [1, 3])
        #expect(versions[0].end == Revision(4))
        #expect(versions[0].ended == Timestamp(nanoseconds: 4))
        #expect(versions.map(\.isPinned) == [true, false, false])
        #expect(versions.map(\.isFirst) == [true, false, false])
        #expect(versions.map(\.isCurrent) == [false, false, true])
        #expect(versions[0].device == Versions.laptop)
    }

    @Test("the present version takes in the past states with its bytes")
    func present() {
        let versions = FileVersion.versions(of: [row(1, 5, content: 1), row(5, nil, content: 1)])
        #expect(versions.count == 1)
        #expect(versions[0].isCurrent)
        #expect(versions[0].past.map(\.number) == [1])
        #expect(versions[0].end == nil)
    }

    @Test("earlier bytes that the file has again are known; a deletion and a link in between divide")
    func again() {
        let versions = FileVersion.versions(of: [
            row(1, 2, content: 1), row(2, 3, content: nil), row(3, 4, content: 1), row(6, 7, content: 2),
            row(7, nil, content: 1),
        ])
        #expect(versions.map(\.revision.number) == [1, 3, 6, 7])
        #expect(versions.map(\.isPresentAgain) == [true, true, false, false])
        let deleted = FileVersion.versions(of: [row(1, 2, content: 1), row(2, 3, content: 1)])
        #expect(deleted.map(\.isPresentAgain) == [false])
    }

    @Test("what was given up is no version, but was the first all the same")
    func thinned() {
        let versions = FileVersion.versions(of: [
            row(1, 2, content: 1, thinned: true), row(2, 3, content: 2, thinned: true),
            row(3, 4, content: 2), row(4, nil, content: 3),
        ])
        #expect(versions.map(\.revision.number) == [2, 4])
        #expect(versions.allSatisfy { !$0.isFirst })
        #expect(FileVersion.versions(of: []).isEmpty)
    }
}
