import Images

/// A class file, read: one class a line, in the order of their indices.
///
/// A line is a name, optionally followed by its colour as `red green blue` or `#rrggbb`. Where every line begins with a
/// number, these are the indices, which must then run from 0; a second line of an index adds a colour to its class, so
/// that several colours may mean one class, and lines for 255 hold the colours of ignored pixels. Empty lines and lines
/// that begin with `#` are passed over. A header (`name,r,g,b`, `index,name`, `Pixel Value, Class`) says what the
/// columns are, in any order. Without one, numbers from 0 at the ends of all lines are indices too. Fields may stand in
/// quotes, and every line may begin with the `- ` of a YAML list.
struct ClassFile {
    /// The classes.
    let table: ClassTable
    /// What was decided about the file and should be seen.
    private(set) var notes: [String] = []

    /// Reads a class file.
    init(_ path: String) throws {
        func fail(_ line: Int, _ problem: String) -> DataError { DataError(file: "\(path):\(line)", problem: problem) }
        var lines = try readTextFile(path).enumerated().map { (number: $0 + 1, text: $1) }
            .filter { !$0.text.isEmpty && !$0.text.hasPrefix("#") }
        if lines.allSatisfy({ $0.text.hasPrefix("- ") }) {
            lines = lines.map { ($0.number, trimmed(String($0.text.dropFirst(2)))) }
        }
        var header: ClassHeader?
        if let first = lines.first, let found = ClassHeader(first.text) {
            header = found
            lines.removeFirst()
            notes.append("\(path): the first line, `\(first.text.prefix(60))`, is read as a header and names no class")
        }
        var entries = try lines.map { number, text in
            guard let header, header.columns != ["name"] else {
                guard let entry = ClassLine(text, number: number) else {
                    throw fail(number, "has a quote that is not closed, or something right behind a closed one")
                }
                return entry
            }
            guard let entry = ClassLine(text, number: number, header: header) else {
                throw fail(number, "does not have the columns of the header: \(header.columns.joined(separator: ", "))")
            }
            return entry
        }
        guard !entries.isEmpty else { throw DataError(file: path, problem: "names no class: write one name a line") }
        if let numbered = try ClassLine.indexedAtTheEnd(entries, file: path) {
            entries = numbered
            notes.append("\(path): the numbers at the ends of the lines are read as the indices of the classes")
        }
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
                // Further lines of an index only add colours, which are noted by now.
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
        var folded: [String: String] = [:]
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
            if let other = folded.updateValue(entry.name, forKey: entry.name.lowercased()) {
                notes.append("\(path): the classes `\(other)` and `\(entry.name)` differ by their case alone")
            }
        }
        table = ClassTable(
            names: entries.map(\.name),
            palette: ClassTable.colors(of: entries.map(\.name), given: entries.map(\.color)), legend: legend)
    }
}

/// The first line of a table, which says what its columns are.
private struct ClassHeader {
    /// The columns in order: `index`, `name`, `red`, `green`, `blue`, `hex`, `color` or something else.
    let columns: [String]
    /// What stands between them.
    let separator: Character

    private static let words = [
        "name": "name", "names": "name", "class": "name", "classes": "name", "class name": "name",
        "class_name": "name", "classname": "name", "label": "name", "labels": "name", "category": "name",
        "index": "index", "idx": "index", "id": "index", "value": "index", "pixel value": "index",
        "class id": "index", "class_id": "index", "label id": "index", "label_id": "index", "class index": "index",
        "pixel_value": "index", "r": "red", "red": "red", "g": "green", "green": "green", "b": "blue",
        "blue": "blue", "hex": "color", "color": "color", "colour": "color", "rgb": "color",
    ]

    /// Nil where the line is no header: each column must be known, and one of them be the name.
    init?(_ line: String) {
        let separator: Character = [",", ";", "\t"].first { line.contains($0) } ?? " "
        self.separator = separator
        let isOne = separator == " " && Self.words[line.lowercased()] != nil
        let fields = isOne ? [line] : Self.fields(line, separator) ?? []
        let known = fields.map { Self.words[$0.lowercased()] }
        columns = known.compactMap { $0 }
        guard columns.count == known.count, columns.contains("name"), Set(columns).count == columns.count else {
            return nil
        }
    }

    /// A line's columns, without the quotes and blanks around them; nil where quotes are wrong.
    static func fields(_ line: String, _ separator: Character) -> [String]? {
        separatedFields(line, joins: separator == " ") { $0 == separator }?.map(\.text)
    }
}

/// A line of a class file, taken apart.
private struct ClassLine {
    let number: Int
    var name: String
    /// The line's leading number and the name behind it, if it has one.
    private(set) var index: Int?
    private(set) var indexedName: String
    let color: Color?
    /// The number behind the name, and the name in front of it.
    private var last: (index: Int, name: String)?

    /// Nil where quotes are wrong.
    init?(_ line: String, number: Int) {
        self.number = number
        let fields = separatedFields(line, joins: true) { $0 == " " || $0 == "\t" || $0 == "," || $0 == ";" }
        guard let fields else { return nil }
        var words = fields.map(\.text)
        let channels = words.suffix(3).compactMap { UInt8($0) }
        if let last = words.last, let color = Color(hex: last) {
            self.color = color
            words.removeLast()
        } else if let last = fields.last, last.isQuoted, fields.count > 1, let color = Self.color(last.text) {
            self.color = color
            words.removeLast()
        } else if words.count > 3, channels.count == 3 {
            color = Color(channels[0], channels[1], channels[2])
            words.removeLast(3)
        } else {
            color = nil
        }
        name = Self.unquoted(words.joined(separator: " "))
        let first = words.first ?? ""
        index = Int(first.last == ":" ? String(first.dropLast()) : first)
        indexedName = Self.unquoted(words.dropFirst().joined(separator: " "))
        if words.count > 1, let last = words.last.flatMap({ Int($0) }) {
            self.last = (last, Self.unquoted(words.dropLast().joined(separator: " ")))
        }
    }

    /// A colour of a single cell, as `0, 128, 255`; nil for other texts.
    private static func color(_ text: String) -> Color? {
        let parts = text.split { $0 == "," || $0 == ";" || $0 == " " }
        let channels = parts.compactMap { UInt8($0) }
        return parts.count == 3 && channels.count == 3 ? Color(channels[0], channels[1], channels[2]) : nil
    }

    /// A name without the single quotes around it.
    private static func unquoted(_ name: String) -> String {
        name.count > 2 && name.hasPrefix("'") && name.hasSuffix("'")
            ? trimmed(String(name.dropFirst().dropLast())) : name
    }

    /// The lines with the numbers at their ends as indices; nil where they are none: where a line has none or begins
    /// with one, where one comes twice, and where names are told apart by nothing else, as `zone 1` and `zone 2`.
    static func indexedAtTheEnd(_ lines: [ClassLine], file: String) throws -> [ClassLine]? {
        let ends = lines.compactMap(\.last)
        guard lines.count > 1, ends.count == lines.count, !lines.allSatisfy({ $0.index != nil }),
            Set(ends.map(\.index)).count == ends.count, Set(ends.map(\.name)).count == ends.count
        else { return nil }
        let own = ends.map(\.index).filter { $0 != Int(Mask.ignored) }.sorted()
        guard own == Array(own.indices) else {
            throw DataError(
                file: file,
                problem:
                    "has a number at the end of every line, as if it were the index, but not 0 to \(own.count - 1):"
                    + " number the classes so, or write the index in front where the number belongs to the name")
        }
        return zip(lines, ends).map { line, end in
            var line = line
            (line.index, line.indexedName) = (end.index, end.name)
            return line
        }
    }

    /// A line below a header; nil where it has other columns.
    init?(_ line: String, number: Int, header: ClassHeader) {
        guard var fields = ClassHeader.fields(line, header.separator) else { return nil }
        // Words of a name, where blanks lie between the columns.
        if header.separator == " ", let place = header.columns.firstIndex(of: "name"),
            fields.count > header.columns.count
        {
            let extra = fields.count - header.columns.count
            fields.replaceSubrange(place...place + extra, with: [fields[place...place + extra].joined(separator: " ")])
        }
        guard fields.count == header.columns.count else { return nil }
        let values = Dictionary(zip(header.columns, fields), uniquingKeysWith: { first, _ in first })
        guard let name = values["name"], !name.isEmpty else { return nil }
        if let text = values["index"] {
            guard let value = Int(text) else { return nil }
            index = value
        } else {
            index = nil
        }
        let channels = ["red", "green", "blue"].compactMap { values[$0] }
        if channels.count == 3 {
            let numbers = channels.compactMap { UInt8($0) }
            guard numbers.count == 3 else { return nil }
            color = Color(numbers[0], numbers[1], numbers[2])
        } else if let text = values["color"] {
            guard let value = Self.color(text) ?? Color(hex: text.hasPrefix("#") ? text : "#" + text) else {
                return nil
            }
            color = value
        } else {
            color = nil
        }
        self.number = number
        self.name = name
        indexedName = name
    }
}
