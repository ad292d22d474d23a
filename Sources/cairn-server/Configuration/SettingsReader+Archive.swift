import Files
import Storage
import StorageS3

/// Where the archive is, and what goes there.
extension SettingsReader {
    private static let policyKeys = ["thaw_delay", "after", "unused", "keep", "interval"]
    private static let bucketKeys = [
        "endpoint", "bucket", "region", "access_key", "secret_key", "ca", "path_style", "storage_class", "restore_tier",
        "restore_days",
    ]

    func archive() throws -> ArchiveChoice? {
        guard let place = try archivePlace() else { return nil }
        return ArchiveChoice(
            place: place,
            policy: ArchivePolicy(
                pastAfter: time("archive.after") ?? .seconds(90 * 86_400), currentAfter: time("archive.unused"),
                keptAfterThaw: time("archive.keep") ?? .seconds(7 * 86_400)),
            round: time("archive.interval") ?? .seconds(86_400))
    }

    private func archivePlace() throws -> ArchiveChoice.Place? {
        let kind = text("archive.kind") ?? "local"
        guard kind == "s3" else {
            try only(["directory"] + Self.policyKeys, in: "archive", kind: kind)
            return text("archive.directory").map {
                .directory($0, pace: ThawingArchive.Pace(delay: time("archive.thaw_delay") ?? .zero))
            }
        }
        try only(Self.bucketKeys + Self.policyKeys, in: "archive", kind: kind)
        let tier = text("archive.restore_tier").flatMap { name in
            S3Client.RestoreTier.allCases.first { $0.rawValue.lowercased() == name }
        }
        return .bucket(
            try region(below: "archive", name: "archive"),
            storageClass: text("archive.storage_class") ?? "GLACIER",
            S3ArchiveConfiguration(
                tier: tier ?? .standard, days: number("archive.restore_days") ?? 3, delay: time("archive.thaw_delay")))
    }
}
