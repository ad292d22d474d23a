import ArgumentParser
import Files
import Foundation
import Model
import TestSupport
import Testing

@testable import cairn_server

@Suite("Bounds of options")
struct OptionBoundTests {
    private func isTaken(_ words: String...) -> Bool { (try? CairnServer.parseAsRoot(words)) != nil }

    @Test(
        "ten years are the longest time in every unit",
        arguments: [("3650", "d"), ("87600", "h"), ("5256000", "m"), ("315360000", "s")])
    func longest(_ number: String, _ unit: String) throws {
        #expect(TimeSpan(argument: number + unit)?.duration == .seconds(315_360_000))
        #expect(TimeSpan(argument: "\(try #require(Int(number)) + 1)\(unit)") == nil)
    }

    @Test("sizes end where integers do")
    func largest() {
        #expect(ByteCount(argument: "9223372036854775807")?.bytes == Int.max)
        #expect(ByteCount(argument: "8589934591G")?.bytes == Int.max - (1 << 30) + 1)
        #expect(QuotaSize(argument: "8388607T")?.bytes == 8_388_607 << 40)
        for text in ["9223372036854775808", "8589934592G", "1_000", "0x10", "²K", "1KK", "K1", "1KB", "00", "1e3"] {
            #expect(ByteCount(argument: text) == nil, "\(text)")
        }
        for text in ["8388608T", "noneT", "tT", " none", "TT", "1KT", "+5M", "+1T", "+1"] {
            #expect(QuotaSize(argument: text) == nil, "\(text)")
        }
    }

    @Test("the bounds of what compaction copies and of packs belong to them")
    func bounds() {
        for (rate, taken) in [("65535", false), ("64K", true), ("1024G", true), ("1025G", false)] {
            #expect(isTaken("run", "--data", "/x", "--collect-rate", rate) == taken, "\(rate)")
        }
        for (size, taken) in [("1048575", false), ("1M", true), ("2G", true), ("2147483649", false)] {
            #expect(isTaken("collect", "--data", "/x", "--pack-size", size) == taken, "\(size)")
        }
    }
}
