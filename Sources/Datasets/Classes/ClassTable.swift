import Foundation
import Images

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

    /// Makes a table; where no colours are given, `Palette.standard`'s are taken, and black for a
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
    /// lines and lines that begin with `#` are passed over, and a header (`name,r,g,b`) says what the columns are.
    public init(classesFile path: String) throws { self = try ClassFile(path).table }

    /// The table as a class file's text, with colours.
    public var classesFile: String {
        zip(names, palette).map { "\($0) \($1.red) \($1.green) \($1.blue)\n" }.joined()
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

/// A text without white space at either end.
func trimmed(_ text: String) -> String { text.trimmingCharacters(in: .whitespacesAndNewlines) }
