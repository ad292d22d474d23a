// swift-tools-version: 6.2
import PackageDescription

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "cairn",
    products: [
        .executable(name: "cairn", targets: ["cairn"]),
        .executable(name: "cairn-server", targets: ["cairn-server"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.86.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System libraries, each wrapped by one Swift file group.
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .target(name: "CLinux"),

        // Pure: no input or output, no clock.
        .target(name: "Model"),
        .target(name: "Blocks", dependencies: ["Model", "CZstd", "COpenSSL"]),
        .target(name: "SyncPlanning", dependencies: ["Model"]),
        .target(name: "Retention", dependencies: ["Model"]),
        .target(name: "WireProtocol", dependencies: ["Model", "Blocks"]),

        // Ports.
        .target(name: "Storage", dependencies: ["Model", "CXXHash"]),
        .target(name: "Metadata", dependencies: ["Model"]),
        .target(name: "Messaging", dependencies: ["Model"]),

        // Adapters: one real system each.
        .target(name: "StorageLocal", dependencies: ["Model", "Storage", "CLinux"]),
        .target(
            name: "StorageS3",
            dependencies: ["Model", "Blocks", "Storage", httpClient, nio, nioHTTP, nioPosix, nioTLS]),
        .target(name: "MetadataSQLite", dependencies: ["Model", "Metadata", database, sqlite]),
        .target(name: "MetadataPostgreSQL", dependencies: ["Model", "Metadata", "CPQ"]),
        .target(name: "MessagingSQL", dependencies: ["Model", "Messaging", "Metadata"]),
        .target(name: "MessagingLocal", dependencies: ["Model", "Messaging", "CLinux"]),
        .target(
            name: "MessagingRedis",
            dependencies: ["Model", "Blocks", "Messaging", "Metadata", "CHiredis", "CLinux"]),

        // Use cases.
        .target(
            name: "Files",
            dependencies: [
                "Model", "Blocks", "Retention", "WireProtocol", "Storage", "Metadata", "Messaging", log, metrics,
            ]),
        .target(name: "Notifications", dependencies: ["Model", "Messaging", "Metadata", lifecycle, log]),

        // How people and programs reach them.
        .target(
            name: "HTTPAPI",
            dependencies: [
                "Model", "Blocks", "WireProtocol", "Files", "Notifications", "Messaging", "Metadata", "Storage",
                hummingbird,
                nio, log, metrics,
            ]),
        .target(
            name: "NotificationReactor",
            dependencies: ["Model", "Blocks", "WireProtocol", "Notifications", "CLinux", lifecycle, log]),
        .target(
            name: "SyncClient",
            dependencies: [
                "Model", "Blocks", "SyncPlanning", "WireProtocol", "CLinux", database, httpClient, nio, nioHTTP,
                nioTLS, lifecycle, log,
            ]),

        // Executables: composition and commands only.
        .executableTarget(
            name: "cairn",
            dependencies: ["Model", "SyncClient", "WireProtocol", arguments, lifecycle, log, signals]),
        .executableTarget(
            name: "cairn-server",
            dependencies: [
                "Model", "Blocks", "CLinux", "Files", "HTTPAPI", "Messaging", "MessagingLocal", "MessagingRedis",
                "MessagingSQL", "Metadata", "MetadataPostgreSQL", "MetadataSQLite", "NotificationReactor",
                "Notifications", "Retention", "Storage", "StorageLocal", "StorageS3", "WireProtocol", arguments,
                hummingbird, hummingbirdTLS, lifecycle, log, metrics,
                nio, nioTLS, signals, yaml,
            ]),

        // Tests.
        .target(
            name: "TestSupport",
            dependencies: ["Model", "CLinux"],
            path: "Tests/TestSupport"),
        .target(
            name: "StorageConformance",
            dependencies: ["Model", "Storage", "TestSupport"],
            path: "Tests/StorageConformance"),
        .target(
            name: "MetadataConformance",
            dependencies: ["Model", "Metadata", "TestSupport"],
            path: "Tests/MetadataConformance"),
        .target(
            name: "MessagingConformance",
            dependencies: ["Model", "Messaging", "TestSupport"],
            path: "Tests/MessagingConformance"),
        .testTarget(name: "ModelTests", dependencies: ["Model", "TestSupport"]),
        .testTarget(
            name: "BlocksTests", dependencies: ["Blocks", "Model", "TestSupport"], resources: [.copy("Golden")]),
        .testTarget(name: "RetentionTests", dependencies: ["Retention", "Model", "TestSupport"]),
        .testTarget(name: "SyncPlanningTests", dependencies: ["SyncPlanning", "Model", "TestSupport"]),
        .testTarget(name: "WireProtocolTests", dependencies: ["WireProtocol", "Blocks", "Model", "TestSupport"]),
        .testTarget(
            name: "StorageTests",
            dependencies: ["Storage", "StorageConformance", "StorageLocal", "Model", "CLinux", "TestSupport"]),
        .target(
            name: "S3Support",
            dependencies: ["StorageS3", "Blocks", "Model", nio, nioHTTP, nioPosix, nioTLS],
            path: "Tests/S3Support"),
        .testTarget(
            name: "StorageS3Tests",
            dependencies: [
                "S3Support", "StorageS3", "Storage", "StorageConformance", "Blocks", "Model", "TestSupport",
            ]),
        .testTarget(
            name: "MetadataTests",
            dependencies: ["Metadata", "MetadataConformance", "MetadataSQLite", "Model", "TestSupport"]),
        .target(
            name: "PostgreSQLSupport",
            dependencies: ["TestSupport"],
            path: "Tests/PostgreSQLSupport"),
        .testTarget(
            name: "PostgreSQLTests",
            dependencies: [
                "PostgreSQLSupport",
                "Metadata", "MetadataConformance", "MetadataPostgreSQL", "Model", "CPQ", "TestSupport",
            ]),
        .target(
            name: "BusConformance",
            dependencies: ["Model", "Messaging"],
            path: "Tests/BusConformance"),
        .testTarget(
            name: "MessagingTests",
            dependencies: ["Messaging", "MessagingLocal", "BusConformance", "Model", "TestSupport"]),
        .target(
            name: "NotificationConformance",
            dependencies: ["Notifications", "Messaging", "Model", "TestSupport"],
            path: "Tests/NotificationConformance"),
        .testTarget(
            name: "NotificationsTests",
            dependencies: ["Notifications", "NotificationConformance", "Messaging", "Model", "TestSupport"]),
        .testTarget(
            name: "NotificationReactorTests",
            dependencies: [
                "NotificationReactor", "NotificationConformance", "Notifications", "Messaging", "WireProtocol",
                "Blocks",
                "Model", "CLinux", "TestSupport", lifecycle, log,
            ]),
        .testTarget(
            name: "OfflineQueueTests",
            dependencies: [
                "Messaging", "MessagingConformance", "MessagingSQL", "Metadata", "MetadataConformance",
                "MetadataSQLite",
                "Model", "Notifications", "TestSupport", log,
            ]),
        .target(
            name: "RedisSupport",
            dependencies: ["MessagingRedis", "TestSupport"],
            path: "Tests/RedisSupport"),
        .testTarget(
            name: "RedisTests",
            dependencies: [
                "RedisSupport", "Notifications", "NotificationConformance", "MessagingRedis", "Messaging",
                "MessagingConformance", "BusConformance", "Metadata", "Model",
                "TestSupport",
            ]),
        .testTarget(
            name: "FilesTests",
            dependencies: [
                "Files", "Blocks", "Retention", "WireProtocol", "Storage", "StorageConformance", "StorageLocal",
                "Metadata", "MetadataConformance", "MetadataSQLite", "Messaging", "Model", "TestSupport", log,
            ]),
        .testTarget(
            name: "HTTPAPITests",
            dependencies: [
                "HTTPAPI", "WireProtocol", "Files", "Blocks", "Storage", "StorageConformance", "Metadata",
                "MetadataSQLite", "Messaging", "MessagingConformance", "Notifications", "Model", "TestSupport",
                hummingbird, log,
                metrics, nio, lifecycle,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "cairn-server", "RedisSupport", "S3Support", "Blocks", "Files", "HTTPAPI", "Messaging",
                "MessagingConformance", "MessagingRedis", "Metadata", "MetadataSQLite", "Model", "Storage",
                "StorageLocal", "StorageS3", "TestSupport", arguments, lifecycle, log,
            ]),
        .testTarget(
            name: "SyncClientTests",
            dependencies: ["SyncClient", "SyncPlanning", "Blocks", "WireProtocol", "Model", "CLinux", "TestSupport"]),
        .testTarget(
            name: "CommandTests", dependencies: ["Model", "PostgreSQLSupport", "S3Support", "TestSupport"],
            resources: [.copy("Scripts")]),
        .testTarget(name: "TidyTests", dependencies: ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)

/// The settings every target of ours shares.
let shared: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

for target in package.targets where target.type != .system && target.name != "CLinux" {
    target.swiftSettings = (target.swiftSettings ?? []) + shared
}
