import TestSupport
import Testing

@testable import StorageS3

/// What servers answer, and what nobody should.
@Suite struct XMLReaderTests {
    private func read(_ text: String) throws -> XMLElement { try XMLReader.read(Array(text.utf8)) }

    @Test("elements, text, entities and what is passed over")
    func answer() throws {
        let root = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- from a server -->
            <s3:List xmlns:s3="http://x/" note='a > b'>
              <Contents><Key>a &amp; b &lt;c&gt; &quot;&apos; &#228;&#x1F600;</Key><Size>5</Size></Contents>
              <Contents><Key><![CDATA[<raw>]]></Key><Owner/></Contents >
            </s3:List>
            """)
        #expect(root.name == "List")
        #expect(root.all("Contents").map { $0.text("Key") } == ["a & b <c> \"' ä😀", "<raw>"])
        #expect(root.child("Contents")?.text("Size") == "5")
        #expect(root.all("Contents")[1].text("Owner") == "")
        #expect(root.text("Absent") == nil)
    }

    @Test(
        "what is no such document is refused",
        arguments: [
            "", "text", "<a>", "<a></b>", "<a></a><b></b>", "<a>&unknown;</a>", "<a b=c></a>", "<a b></a>", "<a",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>&#xD800;</a>", "<a>&amp</a>", "< a></a>", "<a><!-- </a>",
            String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40),
        ])
    func refused(text: String) {
        #expect(throws: XMLReader.Failure.self) { try read(text) }
    }

    @Test("no bytes bring it down", arguments: 0..<50)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = Array("<a b='c'><d>&amp;</d><!-- e --><f/></a>".utf8)
        for _ in 0..<3 {
            bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        _ = try? XMLReader.read(bytes)
        _ = try? XMLReader.read(generator.bytes(Int(seed)))
    }

    @Test("a text that was escaped comes back")
    func escaped() throws {
        let text = "a<b>&\"c\"'"
        #expect(try read("<k>\(text.escapedForXML)</k>").text == text)
    }
}
