import Foundation

/// The files of this repository as git knows them: what is committed and what is new, without what is ignored.
struct Repository {
    let root: String
    let paths: [String]
    /// Those that are committed or staged; nil in an exported tree, where there is no git to ask.
    let tracked: [String]?

    /// The repository that this test was compiled in.
    static let current = Repository(below: #filePath)

    init(below path: String) {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        root = Self.top(above: resolved)
        tracked = Self.git(["ls-files", "-z", "--cached"], in: root)
        let fresh = Self.git(["ls-files", "-z", "--others", "--exclude-standard"], in: root)
        let found = root
        if let tracked, let fresh {
            paths = (tracked + fresh).filter { FileManager.default.fileExists(atPath: "\(found)/\($0)") }.sorted()
        } else {
            paths = Self.walk(root).sorted()
        }
    }

    func read(_ path: String) -> String? {
        try? String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    /// Every text with one of the endings.
    func files(endingIn endings: [String], below folders: [String] = []) -> [SourceFile] {
        paths.filter { path in
            endings.contains { path.hasSuffix($0) }
                && (folders.isEmpty || folders.contains { path.hasPrefix($0 + "/") })
        }
        .compactMap { path in read(path).map { SourceFile(path: path, text: $0) } }
    }

    private static func top(above file: URL) -> String {
        var folder = file.deletingLastPathComponent()
        while folder.path != "/" {
            let manifest = folder.appendingPathComponent("Package.swift").path
            if FileManager.default.fileExists(atPath: manifest) { return folder.path }
            folder = folder.deletingLastPathComponent()
        }
        preconditionFailure("no Package.swift above \(file.path)")
    }

    private static func git(_ arguments: [String], in root: String) -> [String]? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", root] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func walk(_ root: String) -> [String] {
        guard let entries = FileManager.default.enumerator(atPath: root) else { return [] }
        return entries.compactMap { entry in
            guard let path = entry as? String, !path.hasPrefix(".build/"), !path.hasPrefix(".git/") else { return nil }
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
            return exists && !isFolder.boolValue ? path : nil
        }
    }
}

/// The texts that most checks look at, read and split once for the whole run.
enum Tree {
    static let sources = Repository.current.files(endingIn: [".swift"], below: ["Sources"])
    static let tests = Repository.current.files(endingIn: [".swift"], below: ["Tests"])
    static let manifest = Repository.current.files(endingIn: ["Package.swift"]).first { $0.path == "Package.swift" }
    static let documents = Repository.current.files(endingIn: [".md"])
}
