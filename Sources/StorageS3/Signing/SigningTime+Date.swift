extension SigningTime {
    private static let months = [
        "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11,
        "Dec": 12,
    ]

    /// The seconds since 1970 of a moment as headers write it, `Fri, 02 Jan 2026 03:04:05 GMT`; nil for anything else.
    static func seconds(ofDate text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT", let month = months[String(parts[2])] else {
            return nil
        }
        return seconds(of: "\(parts[3])-\(month)-\(parts[1])T\(parts[4])Z")
    }
}
