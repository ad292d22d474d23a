import Testing

@Suite("Declarations")
struct DeclarationsTests {
    // MARK: This repository

    @Test("our types and files have names that say what they are")
    func names() {
        #expect(Declarations.emptyNames(in: Tree.sources + Tree.tests) == [])
    }

    @Test("everything public of ours is explained")
    func documentation() {
        #expect(Declarations.undocumented(in: Tree.sources) == [])
    }

    // MARK: Planted samples

    @Test(
        "a name that says nothing is found",
        arguments: [
            "class SyncManager {}", "struct PathHelper {}", "enum StringUtils {}", "final class StoreImpl: Store {}",
            "protocol UtilityBelt {}", "typealias Helper = Int", "actor ManagerOfAll {}",
        ])
    func emptyName(_ text: String) {
        #expect(Declarations.emptyNames(in: [Fixture.swift(text)]).count == 1, "\(text)")
    }

    @Test(
        "a name that only contains such letters is fine",
        arguments: [
            "struct Implicit {}", "class Managed {}", "let manager = FileManager.default", "enum Utilization {}",
            "static func helper() {}",
        ])
    func fineName(_ text: String) {
        #expect(Declarations.emptyNames(in: [Fixture.swift(text)]).isEmpty, "\(text)")
    }

    @Test("a file's name that says nothing is found")
    func fileName() {
        #expect(Declarations.emptyNames(in: [Fixture.swift("", at: "Sources/Model/StringUtils.swift")]).count == 1)
    }

    @Test(
        "what is public without words is found",
        arguments: [
            "public struct A {}", "public func a() {}", "// Plain.\npublic var a: Int { 1 }", "public init() {}",
            "@frozen public enum A {}", "public static let a = 1", "public private(set) var a = 1",
            "/// Words.\nlet b = 1\npublic let a = 1", "public class func a() {}",
            "/// Words.\npublic protocol A {\n    func b()\n}", "public typealias A = Int",
        ])
    func undocumented(_ text: String) {
        #expect(Declarations.undocumented(in: [Fixture.swift(text)]).count == 1, "\(text)")
    }

    @Test(
        "what has words, or needs none, is fine",
        arguments: [
            "/// Words.\npublic struct A {}", "/// Words.\n@inlinable @available(*, deprecated)\npublic func a() {}",
            "public import Model", "public extension A {}", "struct A {}",
            "func a() {\n    let b = c.open()\n    let d = 1\n}", "let a = \"public struct A {}\"",
            "/// Words.\n@discardableResult\npublic final class A {}", "public override func a() {}",
            "/// Words.\n// More.\npublic let a = 1",
            "/// Words.\npublic protocol A {\n    /// Words.\n    func b()\n}",
            "/// Words.\npublic private(set) var a = 1", "/// Words.\nstatic public let a = 1",
        ])
    func documented(_ text: String) {
        #expect(Declarations.undocumented(in: [Fixture.swift(text)]).isEmpty, "\(text)")
    }
}
