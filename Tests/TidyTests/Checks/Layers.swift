/// Which way the arrows between targets may point: down only, and adapters never to each other.
enum Layer: Int, Comparable {
    case vocabulary, pure, port, adapter, useCase, reach, executable

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The layers of this package, and which system each target may know.
struct Layers {
    /// Where each target stands. A target that is missing here fails the check: a new one has to be placed.
    static let standing: [String: Layer] = [
        "Model": .vocabulary,
        "Blocks": .pure, "Retention": .pure, "SyncPlanning": .pure, "WireProtocol": .pure,
        "Storage": .port, "Metadata": .port, "Messaging": .port,
        "StorageLocal": .adapter, "StorageS3": .adapter, "MetadataSQLite": .adapter, "MetadataPostgreSQL": .adapter,
        "MessagingSQL": .adapter, "MessagingLocal": .adapter, "MessagingRedis": .adapter,
        "Files": .useCase, "Notifications": .useCase,
        "HTTPAPI": .reach, "NotificationReactor": .reach, "SyncClient": .reach,
        "cairn": .executable, "cairn-server": .executable,
    ]

    /// Who wraps which system: each C library by one target, the database and the HTTP stack by few.
    static let wrappers: [String: Set<String>] = [
        "CZstd": ["Blocks"],
        "COpenSSL": ["Blocks"],
        "CXXHash": ["Storage"],
        "CPQ": ["MetadataPostgreSQL"],
        "CHiredis": ["MessagingRedis"],
        "CLinux": [
            "MessagingLocal", "MessagingRedis", "NotificationReactor", "StorageLocal", "SyncClient", "cairn-server",
        ],
        "GRDB": ["MetadataSQLite", "SyncClient"],
        "GRDBSQLite": ["MetadataSQLite", "SyncClient"],
        "Hummingbird": ["HTTPAPI", "cairn-server"],
        "HummingbirdTLS": ["cairn-server"],
        "AsyncHTTPClient": ["StorageS3", "SyncClient"],
        "NIOCore": ["HTTPAPI", "StorageS3", "SyncClient", "cairn-server"],
        "NIOHTTP1": ["StorageS3", "SyncClient"],
        "NIOPosix": ["StorageS3"],
        "NIOSSL": ["StorageS3", "SyncClient", "cairn-server"],
        "ArgumentParser": ["cairn", "cairn-server"],
        "Logging": [
            "Files", "Notifications", "HTTPAPI", "NotificationReactor", "SyncClient", "cairn", "cairn-server",
        ],
        "Metrics": ["Files", "HTTPAPI", "cairn-server"],
        "ServiceLifecycle": ["NotificationReactor", "Notifications", "SyncClient", "cairn", "cairn-server"],
        "UnixSignals": ["cairn", "cairn-server"],
        "Yams": ["cairn-server"],
    ]

    /// Arrows within a layer that are right all the same, each with why.
    static let sideways: [String: [String: String]] = [
        "WireProtocol": ["Blocks": "a message carries blocks and pages in the forms that Blocks defines"]
    ]

    /// Dependencies in the manifest that point up, sideways, or past a wrapper.
    static func findings(in manifest: Manifest) -> [Finding] {
        manifest.targets.filter { ["target", "executableTarget"].contains($0.kind) }.flatMap(findings(of:))
    }

    private static func findings(of target: Manifest.Target) -> [Finding] {
        if target.name == "CLinux"
            || [
                "TestSupport", "StorageConformance", "MetadataConformance", "MessagingConformance", "BusConformance",
                "NotificationConformance", "PostgreSQLSupport", "RedisSupport", "S3Support",
            ].contains(target.name)
        {
            return []
        }
        guard let own = standing[target.name] else {
            return [Finding("Package.swift", "\(target.name) stands in no layer: place it in Layers.standing")]
        }
        return target.dependencies.compactMap { dependency in
            if let other = standing[dependency] {
                let isExcepted = other == own && sideways[target.name]?[dependency] != nil
                guard other >= own, !isExcepted else { return nil }
                return Finding("Package.swift", "\(target.name) may not depend on \(dependency): arrows point down")
            }
            guard let allowed = wrappers[dependency] else {
                return Finding("Package.swift", "\(dependency) has no entry in Layers.wrappers: say who may use it")
            }
            guard !allowed.contains(target.name) else { return nil }
            return Finding(
                "Package.swift", "\(target.name) may not depend on \(dependency): that is for \(allowed.sorted())")
        }
    }
}
