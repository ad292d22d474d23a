import Foundation
import MessagingRedis

/// Which systems a server works on.
extension SettingsReader {
    func database() throws -> DatabaseChoice {
        // Who names a server means it.
        let named = try secret("database.url")
        let kind = text("database.kind") ?? (named == nil ? "sqlite" : "postgresql")
        guard kind == "postgresql" else {
            try only([], in: "database", kind: kind)
            return .sqlite
        }
        try only(["url", "standby_urls", "pool"], in: "database", kind: kind)
        let url = try required(named, "database.url", for: "PostgreSQL")
        let standbys = try secrets("database.standby_urls") ?? []
        for (path, url) in [("database.url", url)] + standbys.map({ ("database.standby_urls", $0) }) {
            // Besides URLs there are strings of words, as 'host=a,b dbname=cairn'.
            if url.contains("="), !url.contains("://") { continue }
            // Of several hosts with ports it is a URL to libpq alone.
            guard ["postgresql://", "postgres://"].contains(where: { url.hasPrefix($0) && url != $0 }) else {
                throw complaint(path, "is a URL: postgresql://…")
            }
        }
        return .postgresql(url: url, standbys: standbys, pool: number("database.pool") ?? 16)
    }

    func storage() throws -> StorageChoice {
        let (kind, size) = (text("storage.kind") ?? "local", bytes("storage.pack_size") ?? 64 << 20)
        let policy = text("storage.policy").flatMap { CopyPolicy(rawValue: $0) } ?? .all
        guard kind == "s3" else {
            try only(["directories", "pack_size", "policy"], in: "storage", kind: kind)
            return StorageChoice(
                place: .local(directories: list("storage.directories") ?? []), packSize: size, policy: policy)
        }
        try only(["regions", "pack_size", "policy"], in: "storage", kind: kind)
        guard settings.regionCount > 0 else {
            throw Failure(.configuration, "storage.regions: is missing: S3 needs one region or more")
        }
        let regions = try (0..<settings.regionCount).map { try region(below: "storage.regions.\($0)") }
        for (index, region) in regions.enumerated() where regions[..<index].contains(where: { $0.name == region.name })
        {
            throw complaint("storage.regions.\(index).name", "'\(region.name)' is the name of two regions")
        }
        return StorageChoice(place: .s3(regions), packSize: size, policy: policy)
    }

    /// The bucket that some keys tell of, under the name that it is given or told.
    func region(below path: String, name: String? = nil) throws -> S3Region {
        func required(_ key: String) throws -> String {
            try self.required(
                try secret("\(path).\(key)"), "\(path).\(key)", for: name.map { "the \($0)" } ?? "a region")
        }
        let endpoint = try required("endpoint")
        try ensure(endpoint, ["https", "http"], "\(path).endpoint")
        return S3Region(
            name: try name ?? required("name"), endpoint: endpoint, bucket: try required("bucket"),
            region: text("\(path).region") ?? "us-east-1", accessKey: try required("access_key"),
            secretKey: try required("secret_key"), authorities: text("\(path).ca"),
            isPathStyle: flag("\(path).path_style") ?? false)
    }

    func bus() throws -> BusChoice {
        let kind = text("bus.kind") ?? "local"
        guard kind == "redis" else {
            try only([], in: "bus", kind: kind)
            return .local
        }
        try only(["url"], in: "bus", kind: kind)
        return .redis(try redis(try secret("bus.url"), "bus.url"))
    }

    func queue() throws -> QueueChoice {
        let kind = text("queue.kind") ?? "sql"
        guard kind == "redis" else {
            try only(["first_directory", "second_directory"], in: "queue", kind: kind)
            let (first, second) = (text("queue.first_directory"), text("queue.second_directory"))
            if let first, first == second {
                throw complaint("queue.second_directory", "is that of the first queue: the two are to fail apart")
            }
            return .sql(first: first, second: second)
        }
        try only(["urls"], in: "queue", kind: kind)
        let urls = try required(try secrets("queue.urls"), "queue.urls", for: "Redis")
        let endpoints = try urls.map { try redis($0, "queue.urls") }
        // Two databases of one server are one storage.
        guard endpoints.count == 2, endpoints[0].location != endpoints[1].location else {
            throw complaint("queue.urls", "names two servers, which fail apart")
        }
        return .redis(first: endpoints[0], second: endpoints[1])
    }

    func cache() throws -> CacheChoice {
        let kind = text("cache.kind") ?? "none"
        switch kind {
        case "memory":
            try only(["size"], in: "cache", kind: kind)
            return .memory(bytes: bytes("cache.size") ?? 256 << 20)
        case "redis":
            try only(["url"], in: "cache", kind: kind)
            return .redis(try redis(try secret("cache.url"), "cache.url"))
        default:
            try only([], in: "cache", kind: kind)
            return .none
        }
    }

    func limits() throws -> LimitChoice {
        let kind = text("limits.kind") ?? "memory"
        guard kind == "redis" else {
            try only([], in: "limits", kind: kind)
            return .memory
        }
        try only(["url"], in: "limits", kind: kind)
        return .redis(try redis(try secret("limits.url"), "limits.url"))
    }

    private func redis(_ url: String?, _ path: String) throws -> RedisEndpoint {
        let url = try required(url, path, for: "Redis")
        do {
            return try RedisEndpoint(url: url)
        } catch {
            throw complaint(path, error.description)
        }
    }

    /// Makes sure that a text is a URL of one of these schemes. It is not repeated: it may hold a password.
    private func ensure(_ url: String, _ schemes: [String], _ path: String) throws {
        let parts = URLComponents(string: url)
        guard let scheme = parts?.scheme, schemes.contains(scheme), parts?.host?.isEmpty == false else {
            throw complaint(path, "is a URL: \(schemes[0])://…")
        }
    }
}
