import CLinux
import Foundation
import Glibc
import Model
import TestSupport

@testable import SyncClient

/// Acts on a folder as people and programs do, at random.
struct RandomTree {
    let world: LocalWorld
    var generator: SeededGenerator

    init(_ world: LocalWorld, seed: UInt64) {
        self.world = world
        generator = SeededGenerator(seed: seed)
    }

    /// A folder that nothing is done to, nor to what is in it: whoever waits for news of it waits for what they did there.
    static let marker = LocalPath(bytes: Array("marker".utf8))

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    private func existing(_ kind: String) throws -> [LocalPath] {
        try tree(world.root).filter { $0.value.kind == kind && !$0.key.bytes.starts(with: Self.marker.bytes) }.map(
            \.key
        ).sorted {
            $0.bytes.lexicographicallyPrecedes($1.bytes)
        }
    }

    private mutating func name() -> [UInt8] {
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: [0xFF, UInt8.random(in: 0x80...0xFE, using: &generator)]
        case 1: Array("line\n\(Int.random(in: 0..<9, using: &generator))".utf8)
        case 2: [UInt8](repeating: UInt8.random(in: 0x61...0x7A, using: &generator), count: 255)
        case 3: Array(" -\"'$(é) ".utf8)
        default: Array("n\(Int.random(in: 0..<40, using: &generator))".utf8)
        }
    }

    private mutating func bytes() -> [UInt8] {
        let length =
            chance(5) ? Int.random(in: 0..<200_000, using: &generator) : Int.random(in: 0..<3000, using: &generator)
        return chance(10) ? [UInt8](repeating: 0, count: length) : generator.bytes(length)
    }

    private mutating func anyFolder() throws -> OpenFile {
        let folders = try [LocalPath.root] + existing("folder")
        return try world.opened.handle.folder(at: folders.randomElement(using: &generator) ?? .root)
    }

    /// Makes so many entries, or changes them.
    mutating func act(_ count: Int) throws {
        for _ in 0..<count {
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<35: try write(anyFolder(), name())
            case 35..<50:
                try? anyFolder().makeFolder(
                    name(), permissions: [0o755, 0o700, 0o775].randomElement(using: &generator) ?? 0)
            case 50..<60: try? anyFolder().makeSymlink(name(), target: generator.bytes(20).map { $0 == 0 ? 1 : $0 })
            case 60..<70: try edit()
            case 70..<85: try move()
            case 85..<92: try remove()
            default: try changeMode()
            }
        }
    }

    private mutating func write(_ folder: OpenFile, _ name: [UInt8]) throws {
        guard let file = try? folder.open(name, O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644) else { return }
        try bytes().withUnsafeBytes { try file.write($0, at: 0) }
        try file.setPermissions([0o644, 0o600, 0o755, 0o444, 0].randomElement(using: &generator) ?? 0)
        if chance(50) { try file.setModified(Int64.random(in: 0..<1_700_000_000_000_000_000, using: &generator)) }
    }

    private mutating func edit() throws {
        guard let path = try existing("file").randomElement(using: &generator) else { return }
        try write(world.opened.handle.folder(at: path.parent ?? .root), path.lastName)
    }

    private mutating func move() throws {
        let kind = ["file", "folder", "link"].randomElement(using: &generator) ?? "file"
        guard let path = try existing(kind).randomElement(using: &generator) else { return }
        let from = try world.opened.handle.folder(at: path.parent ?? .root)
        // Some moves can't be: a folder into itself, or to a name that is taken.
        let (folder, name) = (try anyFolder(), name())
        try? from.rename(path.lastName, to: folder, name)
    }

    private mutating func remove() throws {
        let kind = ["file", "folder", "link"].randomElement(using: &generator) ?? "file"
        guard let path = try existing(kind).randomElement(using: &generator) else { return }
        let parent = try world.opened.handle.folder(at: path.parent ?? .root)
        try? kind == "folder" ? parent.removeAll(path.lastName) : parent.removeFile(path.lastName)
    }

    private mutating func changeMode() throws {
        guard let path = try (existing("file") + existing("folder")).randomElement(using: &generator) else { return }
        let folder = try world.opened.handle.folder(at: path.parent ?? .root)
        guard let entry = try? folder.open(path.lastName, O_RDONLY | O_NONBLOCK) else { return }
        try entry.setPermissions([0o700, 0o755, 0o711].randomElement(using: &generator) ?? 0o700)
    }
}

extension OpenFile {
    /// Removes a folder with all that is in it, whatever the bytes of its names.
    func removeAll(_ name: [UInt8]) throws {
        let folder = try open(name, O_RDONLY | O_DIRECTORY)
        let listing = try FolderListing(folder)
        for index in 0..<listing.count {
            if try folder.status(of: listing[index])?.kind == .folder {
                try folder.removeAll(listing[index])
            } else {
                try folder.removeFile(listing[index])
            }
        }
        try removeFolder(name)
    }
}
