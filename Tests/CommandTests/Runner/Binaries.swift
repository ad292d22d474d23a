import Foundation

/// Where the build put what is tested.
enum Binaries {
    /// The folder beside the test bundle that holds `cairn` and `cairn-server`.
    static var folder: String {
        Bundle.module.bundleURL.deletingLastPathComponent().resolvingSymlinksInPath().path
    }

    /// The scripts that came with the bundle, by name.
    static func scripts() throws -> [String] {
        guard let folder = Bundle.module.url(forResource: "Scripts", withExtension: nil) else {
            throw Failure("the bundle has no Scripts")
        }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".txt") }.sorted()
    }

    static func script(_ name: String) throws -> Script {
        let url = Bundle.module.bundleURL.appendingPathComponent("Scripts").appendingPathComponent(name)
        return try Script(name: name, text: String(contentsOf: url, encoding: .utf8))
    }
}
