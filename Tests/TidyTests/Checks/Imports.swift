/// What each file may import: what its target declares, the modules that come with that, and the few system modules
/// that its layer may know.
struct Imports {
    /// Modules that a product brings along and that have to be imported by name to use their members.
    static let companions: [String: Set<String>] = [
        "Hummingbird": [
            "HTTPTypes", "HummingbirdCore", "NIOCore", "NIOPosix", "NIOHTTPTypes", "NIOHTTP1", "NIOHTTPTypesHTTP1",
        ],
        "HummingbirdTLS": ["NIOSSL"],
        "AsyncHTTPClient": ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "NIOFoundationCompat"],
        "ServiceLifecycle": ["UnixSignals"],
        "Metrics": ["CoreMetrics"],
        "GRDB": ["GRDBSQLite"],
    ]

    /// Modules of the toolchain that hold no input or output.
    static let plain: Set<String> = ["Synchronization", "Swift", "RegexBuilder"]

    /// Modules of the toolchain that reach the machine.
    static let machine: Set<String> = ["Glibc", "Musl", "Dispatch", "Foundation", "FoundationEssentials"]

    /// Pure targets that need the C library all the same, with the reason.
    static let pureWithMachine: [String: String] = [
        "Sources/Model/SystemWallClock.swift": "the one place where the machine's clock is read",
        "Sources/Retention/Policy/RetentionPolicy+JSON.swift": "JSON of a text that it is given",
    ]

    /// Where a database library may be imported within a target that may use it.
    static let databaseFolders = ["Sources/MetadataSQLite", "Sources/SyncClient/State"]

    let manifest: Manifest

    func findings(in files: [SourceFile]) -> [Finding] {
        files.flatMap { file in Self.imports(of: file).compactMap { finding(file, $0) } }
    }

    /// The modules that a file imports, with the token that names each.
    static func imports(of file: SourceFile) -> [Token] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return file.code.indices.compactMap { index in
            guard file.code[index].text == "import", file.code[index].kind == .identifier,
                index + 1 < file.code.count
            else { return nil }
            let isKind = kinds.contains(file.code[index + 1].text) && index + 2 < file.code.count
            return file.code[index + (isKind ? 2 : 1)]
        }
    }

    private func finding(_ file: SourceFile, _ module: Token) -> Finding? {
        guard let name = file.target, let target = manifest[name] else {
            return Finding(file.path, "belongs to no target of Package.swift")
        }
        func refused(_ why: String) -> Finding {
            Finding(file.path, line: module.line, "may not import \(module.text): \(why)")
        }
        if Self.plain.contains(module.text) { return nil }
        if Self.machine.contains(module.text) { return machineFinding(file, target, module, refused) }
        guard declares(target, module.text) else { return refused("\(target.name) does not depend on it") }
        if ["GRDB", "GRDBSQLite", "SQLite3"].contains(module.text),
            !Self.databaseFolders.contains(where: { file.isBelow($0) })
        {
            return refused("a database is known only in \(Self.databaseFolders)")
        }
        return nil
    }

    private func machineFinding(
        _ file: SourceFile, _ target: Manifest.Target, _ module: Token, _ refused: (String) -> Finding
    ) -> Finding? {
        guard let layer = Layers.standing[target.name] else { return nil }
        if layer > .pure || Self.pureWithMachine[file.path] != nil { return nil }
        return refused("\(target.name) is pure: no input or output, no clock")
    }

    private func declares(_ target: Manifest.Target, _ module: String) -> Bool {
        target.dependencies.contains { $0 == module || Self.companions[$0]?.contains(module) == true }
    }
}
