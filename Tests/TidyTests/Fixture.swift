/// Makes small trees of planted source, so that each check is seen to fail.
enum Fixture {
    static func swift(_ text: String, at path: String = "Sources/Model/Sample.swift") -> SourceFile {
        SourceFile(path: path, text: text)
    }

    /// A file of a number of lines.
    static func file(lines: Int, at path: String = "Sources/Model/Sample.swift") -> SourceFile {
        swift(String(repeating: "let a = 1\n", count: lines), at: path)
    }

    /// A function whose body has a number of lines.
    static func function(bodyLines: Int) -> String {
        "func sample() {\n" + String(repeating: "    work()\n", count: bodyLines) + "}\n"
    }
}
