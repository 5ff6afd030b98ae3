import Foundation

/// The classes of a data set, by index: their names and their colours.
public struct ClassTable: Hashable, Codable, Sendable {
    /// The name of each class.
    public let names: [String]
    /// The colour of each class.
    public let palette: [Color]
    /// What colours in colour masks stand for, 255 for ignored ones; only colours that were given, not those made up.
    public let legend: [Color: UInt8]

    private enum CodingKeys: CodingKey {
        case names
        case palette
    }

    /// How many classes there are.
    public var count: Int { names.count }

    /// Makes a table; where no colours are given, ``Palette/standard``'s are taken, and black for a
    /// background.
    ///
    /// - Parameters:
    ///   - names: the name of each class.
    ///   - palette: the colour of each class, or of the first ones.
    ///   - legend: what colours in colour masks stand for; nil takes the palette that is given.
    public init(names: [String], palette: [Color] = [], legend: [Color: UInt8]? = nil) {
        precondition((1...255).contains(names.count), "\(names.count) classes")
        self.names = names
        self.palette = ClassTable.colors(of: names, given: palette)
        let own = zip(palette.prefix(names.count), UInt8(0)...).map { ($0, $1) }
        self.legend = legend ?? Dictionary(own, uniquingKeysWith: { first, _ in first })
    }

    /// Reads names and palette.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let names = try container.decode([String].self, forKey: .names)
        guard (1...255).contains(names.count) else {
            throw DecodingError.dataCorruptedError(
                forKey: .names, in: container, debugDescription: "\(names.count) classes")
        }
        self.init(names: names, palette: try container.decode([Color].self, forKey: .palette))
    }

    /// A table of classes known by number alone.
    public init(count: Int) {
        self.init(names: (0..<count).map { "class \($0)" })
    }

    /// Reads a class file: one class a line, in the order of their indices.
    ///
    /// A line is a name, optionally followed by its colour as `red green blue` or `#rrggbb`. Where every line begins
    /// with a number, these are the indices, which must then run from 0; a second line of an index adds a colour to its
    /// class, so that several colours may mean one class, and lines for 255 hold the colours of ignored pixels. Empty
    /// lines and lines that begin with `#` are passed over.
    public init(classesFile path: String) throws {
        let text = try readTextFile(path)
        func fail(_ line: Int, _ problem: String) -> DataError { DataError(file: "\(path):\(line)", problem: problem) }
        var entries = text.enumerated().compactMap { number, line -> ClassLine? in
            line.isEmpty || line.hasPrefix("#") ? nil : ClassLine(line, number: number + 1)
        }
        guard !entries.isEmpty else { throw DataError(file: path, problem: "names no class: write one name a line") }
        var legend: [Color: UInt8] = [:]
        if entries.allSatisfy({ $0.index != nil && !$0.indexedName.isEmpty }) {
            entries = entries.map { entry in
                var entry = entry
                entry.name = entry.indexedName
                return entry
            }
            var firsts: Set<Int> = []
            for entry in entries {
                guard let index = entry.index, (0...255).contains(index) else {
                    throw fail(
                        entry.number, "has the index \(entry.index ?? 0): indices run from 0 to 254, 255 ignored")
                }
                let isFirst = firsts.insert(index).inserted
                guard let color = entry.color else {
                    if isFirst { continue }
                    throw fail(entry.number, "has the index \(index) a second time, without a further colour")
                }
                if let other = legend.updateValue(UInt8(index), forKey: color), other != UInt8(index) {
                    throw fail(entry.number, "has the colour \(color.hex) of the class \(other)")
                }
            }
            entries.removeAll { entry in
                // What follows the first line of an index has done its part.
                entry.index == Int(Mask.ignored) || firsts.remove(entry.index ?? 0) == nil
            }
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
        for (index, entry) in entries.enumerated() {
            if let color = entry.color {
                let other = legend.updateValue(UInt8(index), forKey: color) ?? UInt8(index)
                if other != UInt8(index) {
                    throw fail(entry.number, "has the colour \(color.hex) of the class \(other)")
                }
            }
            guard !entry.name.isEmpty else { throw fail(entry.number, "has a colour but no name") }
            guard seen.insert(entry.name).inserted else {
                throw fail(entry.number, "names the class `\(entry.name)` a second time")
            }
        }
        self.init(
            names: entries.map(\.name),
            palette: ClassTable.colors(of: entries.map(\.name), given: entries.map(\.color)), legend: legend)
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
