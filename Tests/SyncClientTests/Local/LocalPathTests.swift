import Glibc
import Model
import Testing

@testable import SyncClient

@Suite("Local paths, fingerprints and errors")
struct LocalPathTests {
    func path(_ text: String) -> LocalPath { LocalPath(bytes: Array(text.utf8)) }

    @Test("paths are taken apart and put together by bytes")
    func paths() throws {
        let path = LocalPath([try NodeName("a"), try NodeName(bytes: [0xFF]), try NodeName("c")])
        #expect(path.bytes == [0x61, 0x2F, 0xFF, 0x2F, 0x63])
        #expect(path.components.map { Array($0) } == [[0x61], [0xFF], [0x63]])
        #expect(path.lastName == [0x63])
        #expect(path.parent?.parent == self.path("a"))
        #expect(path.parent?.parent?.parent == .root)
        #expect(LocalPath.root.parent == nil)
        #expect(LocalPath.root.appending(try NodeName("x")) == self.path("x"))
        #expect(LocalPath.root.description == ".")
    }

    @Test("a path is within another by whole names")
    func within() {
        #expect(path("a/b").isWithin(path("a")))
        #expect(path("a/b").isWithin(path("a/b")))
        #expect(path("a").isWithin(.root))
        #expect(!path("ab").isWithin(path("a")))
        #expect(!path("a").isWithin(path("a/b")))
        #expect(!LocalPath.root.isWithin(path("a")))
    }

    let seen = Fingerprint(
        device: 1, inode: 2, size: 3, modified: 4, changed: 5, born: 6, mode: UInt32(S_IFREG) | 0o644)

    @Test("every part that a write may change tells versions apart; device and number of names do not")
    func versions() {
        let changes: [(inout Fingerprint) -> Void] = [
            { $0.inode += 1 }, { $0.size += 1 }, { $0.modified += 1 }, { $0.changed += 1 }, { $0.mode ^= 1 },
        ]
        for change in changes {
            var other = seen
            change(&other)
            #expect(!other.isSameVersion(as: seen))
        }
        var other = seen
        (other.device, other.links, other.owner) = (9, 9, 9)
        #expect(other.isSameVersion(as: seen))
    }

    @Test("a move changes one time and nothing else")
    func moved() {
        var other = seen
        other.changed += 100
        #expect(other.isSameVersionMoved(as: seen))
        other.modified += 1
        #expect(!other.isSameVersionMoved(as: seen))
    }

    @Test("an inode number that was given out again is another file")
    func inodes() {
        var other = seen
        (other.size, other.modified, other.changed, other.mode) = (9, 9, 9, UInt32(S_IFREG))
        #expect(other.isSameInode(as: seen))
        other.born = 7
        #expect(!other.isSameInode(as: seen))
        // Where births are not recorded, a file must have kept size and time, and a folder nothing.
        var (one, two) = (seen, seen)
        (one.born, two.born, two.changed) = (0, 0, 99)
        #expect(two.isSameInode(as: one))
        two.size = 9
        #expect(!two.isSameInode(as: one))
        (one.mode, two.mode) = (UInt32(S_IFDIR), UInt32(S_IFDIR))
        #expect(two.isSameInode(as: one))
        two.device = 8
        #expect(!two.isSameInode(as: one))
    }

    @Test(
        "errors of the system have a kind, and name the thing and the reason",
        arguments: [
            (ENOENT, ClientError.Code.notFound), (EEXIST, .alreadyExists), (EACCES, .permissionDenied),
            (EPERM, .permissionDenied), (ENOSPC, .diskFull), (EDQUOT, .diskFull), (EROFS, .readOnly),
            (ENAMETOOLONG, .nameTooLong), (ENOTDIR, .notFolder), (ELOOP, .notFolder), (ENOTEMPTY, .folderNotEmpty),
            (EBUSY, .inUse), (EIO, .io), (EXDEV, .io),
        ] as [(Int32, ClientError.Code)])
    func errors(number: Int32, code: ClientError.Code) {
        let error = ClientError.system("remove", path("some/thing"), errno: number)
        #expect(error.code == code)
        #expect(error.errno == number)
        #expect(error.message == "can't remove 'some/thing': \(String(cString: strerror(number)))")
        #expect("\(error)" == error.message)
    }
}
