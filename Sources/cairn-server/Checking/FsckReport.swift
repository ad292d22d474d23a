import Files
import Foundation
import Metadata
import Model
import Synchronization

/// Tells what a check finds, line by line: for people, or for scripts.
final class FsckReport: Sendable {
    private let names: Mutex<[AccountID: String]> = Mutex([:])
    private let isJSON: Bool
    private let isVerbose: Bool

    init(isJSON: Bool, isVerbose: Bool) {
        self.isJSON = isJSON
        self.isVerbose = isVerbose
    }

    /// Whose findings are told by name.
    func learn(_ accounts: [AccountRecord]) {
        names.withLock { names in
            for account in accounts { names[account.id] = account.name }
        }
    }

    /// Tells one finding. What is only worth knowing is left out for people who did not ask for it.
    func tell(_ finding: CheckFinding) {
        let name = finding.account.flatMap { account in names.withLock { $0[account] } }
        if isJSON {
            Output.line(Self.encode(FindingLine(finding, account: name)))
        } else if finding.weight != .note || isVerbose {
            Output.line("\(finding.weight.rawValue): \(name.map { "\($0): " } ?? "")\(finding.message)")
        }
    }

    /// Tells what it came to.
    func tell(_ summary: CheckSummary, exit code: Int32) {
        guard !isJSON else {
            Output.line(Self.encode(SummaryLine(summary, exit: code)))
            return
        }
        Output.line(
            "\(summary.files) versions of files, \(summary.pages) pages, \(summary.blocks) blocks, \(summary.packs) packs; "
                + "\(summary.verifiedBytes) bytes of records read and verified")
        for (kind, what) in Self.notes where summary.count(kind) > 0 {
            Output.line("\(summary.count(kind)) \(what), \(summary.bytes[kind] ?? 0) bytes")
        }
        let (damage, repaired) = (summary.total(.damage), summary.total(.repaired))
        let unchecked = summary.total(.unchecked)
        if repaired > 0 { Output.line("\(repaired) repaired") }
        if unchecked > 0 { Output.line("\(unchecked) not checked") }
        Output.line(damage > 0 ? "\(damage) damaged" : unchecked > 0 ? "nothing else is damaged" : "clean")
    }

    private static let notes: [(CheckFinding.Kind, String)] = [
        (.orphanBlock, "blocks that no kept version names"), (.orphanPage, "pages that no kept version names"),
        (.unnamedBytes, "packs with bytes that no row names"), (.unnamedPack, "packs that no row names"),
    ]

    private static func encode(_ line: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        guard let data = try? encoder.encode(line) else {
            preconditionFailure("a line of strings and numbers can't be encoded")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

/// A finding as a line of JSON. What is not known is left out.
private struct FindingLine: Encodable {
    let finding: String
    let weight: String
    let message: String
    let account: String?
    let accountId: String?
    let namespace: String?
    let node: String?
    let path: String?
    let revision: UInt64?
    let endRevision: UInt64?
    let block: String?
    let pack: String?
    let offset: UInt64?
    let bytes: UInt64?
    let region: String?

    init(_ finding: CheckFinding, account name: String?) {
        self.finding = finding.kind.rawValue
        weight = finding.weight.rawValue
        message = finding.message
        account = name
        accountId = finding.account?.hex
        namespace = finding.namespace?.hex
        node = finding.node?.hex
        path = finding.path
        revision = finding.revision?.number
        endRevision = finding.end?.number
        block = finding.block?.description
        pack = finding.pack?.hex
        offset = finding.offset
        bytes = finding.bytes
        region = finding.region
    }
}

/// The last line of JSON.
private struct SummaryLine: Encodable {
    struct Summary: Encodable {
        let exit: Int32
        let damage: Int
        let repaired: Int
        let unchecked: Int
        let files: UInt64
        let pages: UInt64
        let blocks: UInt64
        let packs: UInt64
        let verifiedBytes: UInt64
        let findings: [String: Int]
    }

    let summary: Summary

    init(_ summary: CheckSummary, exit code: Int32) {
        let kinds = CheckFinding.Kind.allCases.filter { summary.count($0) > 0 }
        self.summary = Summary(
            exit: code, damage: summary.total(.damage), repaired: summary.total(.repaired),
            unchecked: summary.total(.unchecked), files: summary.files, pages: summary.pages, blocks: summary.blocks,
            packs: summary.packs, verifiedBytes: summary.verifiedBytes,
            findings: Dictionary(uniqueKeysWithValues: kinds.map { ($0.rawValue, summary.count($0)) }))
    }
}
