import Testing

@Suite("Documents")
struct DocumentsTests {
    // MARK: This repository

    @Test("every link of ours leads somewhere")
    func links() {
        let documents = Documents(paths: Repository.current.paths, documents: Tree.documents)
        #expect(documents.texts.count > 4)
        #expect(documents.brokenLinks() == [])
    }

    @Test("our decisions are numbered without gaps and have their headings")
    func decisions() {
        #expect(Tree.documents.contains { $0.path.hasPrefix("docs/decisions/0001-") })
        #expect(Decisions.findings(in: Tree.documents) == [])
    }

    // MARK: Planted samples

    private func broken(_ text: String, at path: String = "README.md") -> [Finding] {
        let format = Fixture.swift("# Format\n\n## The sealed record\n", at: "docs/format.md")
        let document = Fixture.swift(text, at: path)
        return Documents(paths: ["docs/format.md", "LICENSE", path], documents: [format, document]).brokenLinks()
    }

    @Test(
        "a link or a mention that leads nowhere is found",
        arguments: [
            "[a](docs/none.md)", "see `docs/none.md`.", "[a](docs/format.md#none)", "[a](#none)", "[a](../LICENSE/b)",
        ])
    func dead(_ text: String) {
        #expect(!broken("# Title\n\n" + text).isEmpty, "\(text)")
    }

    @Test(
        "a link that leads somewhere is fine",
        arguments: [
            "[a](docs/format.md)", "[a](docs/format.md#the-sealed-record)", "[a](LICENSE)", "[a](docs)", "[a](#title)",
            "[a](https://example.org/docs/none.md)", "see docs/format.md.", "[a](mailto:a@example.org)",
        ])
    func alive(_ text: String) {
        #expect(broken("# Title\n\n" + text).isEmpty, "\(text)")
    }

    @Test("links are relative to the document")
    func relative() {
        #expect(broken("[a](../format.md)", at: "docs/decisions/0001-a.md").isEmpty)
        #expect(broken("[a](format.md)", at: "docs/decisions/0001-a.md").count == 1)
    }

    private func record(_ name: String, _ headings: [String] = Decisions.headings) -> SourceFile {
        let text = "# Title\n\n" + headings.map { "\($0)\n\nText.\n\n" }.joined()
        return Fixture.swift(text, at: "docs/decisions/\(name)")
    }

    @Test("a gap in the numbers is found, and a number taken twice")
    func gaps() {
        #expect(Decisions.findings(in: [record("0001-a.md"), record("0002-b.md")]).isEmpty)
        #expect(Decisions.findings(in: [record("0001-a.md"), record("0003-b.md")]).count == 1)
        #expect(Decisions.findings(in: [record("0001-a.md"), record("0001-b.md")]).count == 1)
    }

    @Test("a record without its evidence is found")
    func headings() {
        #expect(Decisions.findings(in: [record("0001-a.md", Array(Decisions.headings.dropLast()))]).count == 1)
    }
}
