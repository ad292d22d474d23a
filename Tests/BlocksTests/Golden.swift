import Foundation
import Model
import TestSupport

/// The files of the folder Golden, made by `reference.py` there, a second implementation of docs/format.md.
enum Golden {
    static func text(_ name: String) -> String {
        guard let folder = Bundle.module.url(forResource: "Golden", withExtension: nil),
            let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        else { fatalError("the golden file \(name) is missing") }
        return text
    }

    static func lines(_ name: String) -> [String] {
        text(name).split(separator: "\n").map(String.init)
    }

    static func bytes(_ name: String) -> [UInt8] {
        guard let bytes = [UInt8](hex: lines(name)[0]) else { fatalError("the golden file \(name) is not hexadecimal") }
        return bytes
    }

    /// `count` bytes of numbered lines, as the reference makes them.
    static func lineBytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 40)
        var number = 0
        while bytes.count < count {
            bytes += Array("line \(number) of the golden text\n".utf8)
            number += 1
        }
        return Array(bytes.prefix(count))
    }

    /// The input that a golden line names.
    static func input(_ kind: String, seed: UInt64, count: Int) -> [UInt8] {
        switch kind {
        case "random":
            var generator = SeededGenerator(seed: seed)
            return generator.bytes(count)
        case "text": return lineBytes(count)
        default: return [UInt8](repeating: 0, count: count)
        }
    }
}
