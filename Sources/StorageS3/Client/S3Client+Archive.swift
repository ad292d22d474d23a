extension S3Client {
    /// How soon an archived object is wanted.
    public enum RestoreTier: String, Hashable, Sendable, CaseIterable {
        /// Within minutes, at the highest price.
        case expedited = "Expedited"
        /// Within hours.
        case standard = "Standard"
        /// Within a day, at the lowest price.
        case bulk = "Bulk"
    }

    /// Asks for an archived object. ``S3ObjectInfo/restore`` says how far it is.
    /// - Parameters:
    ///   - key: Its key.
    ///   - days: How long it is to stay readable.
    ///   - tier: How soon.
    /// - Throws: ``S3Failure``; asking again while it is on its way succeeds.
    public func restore(_ key: String, days: Int, tier: RestoreTier = .standard) async throws(S3Failure) {
        precondition(days >= 1, "restored for no time")
        let body =
            "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>\(days)</Days>"
            + "<GlacierJobParameters><Tier>\(tier.rawValue)</Tier></GlacierJobParameters></RestoreRequest>"
        let request = S3Request(
            method: "POST", key: key, query: [(name: "restore", value: "")], body: Array(body.utf8))
        do {
            _ = try await send(request)
        } catch {
            if error.code != "RestoreAlreadyInProgress" { throw error }
        }
    }
}
