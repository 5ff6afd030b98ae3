import Foundation

/// The classes of a data set, by index: their names and their colours.
public struct ClassTable: Hashable, Codable, Sendable {
    /// The name of each class.
    public let names: [String]
    /// The colour of each class.
    public let palette: [Color]

    /// How many classes there are.
    public var count: Int { names.count }

    /// Makes a table; where no colours are given, the standard palette's are taken.
    public init(names: [String], palette: [Color] = []) {
        precondition((1...255).contains(names.count), "\(names.count) classes")
        self.names = names
        self.palette = Array(palette.prefix(names.count)) + Palette.standard[..<names.count].dropFirst(palette.count)
    }

    /// A table of classes known by number alone.
    public init(count: Int) {
        self.init(names: (0..<count).map { "class \($0)" })
    }

    /// Reads a class file: one class a line, in the order of their indices.
    ///
    /// A line is a name, optionally followed by its colour as `red green blue` or `#rrggbb`. Where every line begins
    /// with a number, these are the indices, which must then run from 0; a line for 255 names the ignored label and
    /// adds no class. Empty lines and lines that begin with `#` are passed over.
    public init(classesFile path: String) throws {
        let text = try readTextFile(path)
        func fail(_ line: Int, _ problem: String) -> DataError { DataError(file: "\(path):\(line)", problem: problem) }
        var entries = text.enumerated().compactMap { number, line -> ClassLine? in
            line.isEmpty || line.hasPrefix("#") ? nil : ClassLine(line, number: number + 1)
        }
        guard !entries.isEmpty else { throw DataError(file: path, problem: "names no class: write one name a line") }
        if entries.allSatisfy({ $0.index != nil && !$0.indexedName.isEmpty }) {
            entries = entries.map { entry in
                var entry = entry
                entry.name = entry.indexedName
                return entry
            }
            entries.removeAll { $0.index == Int(Mask.ignored) }
            entries.sort { ($0.index ?? 0) < ($1.index ?? 0) }
            for (position, entry) in entries.enumerated() where entry.index != position {
                throw fail(
                    entry.number, "has the index \(entry.index ?? 0) where \(position) is expected: indices run from 0")
            }
        }
        guard (1...255).contains(entries.count) else {
            throw DataError(file: path, problem: "names \(entries.count) classes; there may be 1 to 255")
        }
        var seen: Set<String> = []
        for entry in entries {
            guard !entry.name.isEmpty else { throw fail(entry.number, "has a colour but no name") }
            guard seen.insert(entry.name).inserted else {
                throw fail(entry.number, "names the class `\(entry.name)` a second time")
            }
        }
        self.init(
            names: entries.map(\.name),
            palette: entries.enumerated().map { $1.color ?? Palette.standard[$0] })
    }

    /// The table as a class file's text, with colours.
    public var classesFile: String {
        zip(names, palette).map { "\($0) \($1.red) \($1.green) \($1.blue)\n" }.joined()
    }
}

/// A line of a class file, taken apart.
private struct ClassLine {
    let number: Int
    var name: String
    /// The line's leading number and the name behind it, if it has one.
    let index: Int?
    let indexedName: String
    let color: Color?

    init(_ line: String, number: Int) {
        self.number = number
        var words = line.split { $0 == " " || $0 == "\t" || $0 == "," }.map(String.init)
        let channels = words.suffix(3).compactMap { UInt8($0) }
        if let last = words.last, let color = Color(hex: last) {
            self.color = color
            words.removeLast()
        } else if words.count > 3, channels.count == 3 {
            color = Color(channels[0], channels[1], channels[2])
            words.removeLast(3)
        } else {
            color = nil
        }
        name = words.joined(separator: " ")
        let first = words.first ?? ""
        index = Int(first.last == ":" ? String(first.dropLast()) : first)
        indexedName = words.dropFirst().joined(separator: " ")
    }
}

/// A text file's lines, without white space at either end.
package func readTextFile(_ path: String, limit: Int = 64 << 20) throws -> [String] {
    let bytes = try readFileBytes(path, limit: limit)
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
        throw DataError(file: path, problem: "is not UTF-8 text")
    }
    let body = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    return body.split(omittingEmptySubsequences: false) { $0.isNewline }.map {
        $0.trimmingCharacters(in: .whitespaces)
    }
}
