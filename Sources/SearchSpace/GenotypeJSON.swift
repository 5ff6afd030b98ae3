import Foundation
import JSON

extension Genotype {
    /// The version of the file format that is read and written.
    public static let formatVersion = 1
    /// The most bytes that a genotype file may have.
    public static let maximumBytes = 1 << 20

    /// Reads a genotype file, strictly: anything unknown, missing or out of place is an error.
    ///
    /// - Parameters:
    ///   - json: the file's bytes.
    ///   - source: the file's name for messages.
    /// - Throws: `SearchSpaceError` naming the source and the place.
    public init(json: Data, source: String) throws {
        self = try Genotype.read(json, source: source) { try GenotypeDocument(&$0).genotype() }
    }

    /// What `read` makes of a genotype file's bytes, with the source and the place in its errors.
    static func read<Content>(
        _ json: Data, source: String, _ read: (inout JSONScanner) throws -> Content
    ) throws -> Content {
        do {
            guard json.count <= Genotype.maximumBytes else {
                throw SearchSpaceError(
                    problem: "\(json.count) bytes are more than a genotype file may have (\(Genotype.maximumBytes))")
            }
            var scanner = JSONScanner(Array(json), maximumDepth: 16)
            return try read(&scanner)
        } catch let error as SearchSpaceError {
            throw error.from(source)
        } catch let fault as JSONFault {
            let line = json.prefix(fault.byte).count { $0 == UInt8(ascii: "\n") } + 1
            throw SearchSpaceError(
                source: source, location: "line \(line)", problem: "not valid JSON: \(fault.grammarProblem)")
        }
    }

    /// The genotype file's bytes, always the same for equal genotypes.
    ///
    /// `atrous` is there where it is not dense, `stem` where it is not the paper's, `skips` where there are any.
    public func json() -> Data {
        let strides = path.map { String($0.rawValue) }.joined(separator: ", ")
        let lines = cell.blocks.map { block in
            "[" + block.branches.map { "[\"\($0.input.name)\", \"\($0.op.rawValue)\"]" }.joined(separator: ", ") + "]"
        }
        let sources = skips.map { $0.map { "\($0)" } ?? "null" }.joined(separator: ", ")
        let jumps = hasSkips ? "\n \"skips\": [\(sources)]," : ""
        let kind =
            (atrous == .dense ? "" : " \"atrous\": \"\(atrous.rawValue)\",")
            + (stem == .paper ? "" : " \"stem\": \"\(stem.rawValue)\",")
        let text = """
            {"version": \(Genotype.formatVersion), "layers": \(layers), "blocks": \(blocks),\(kind)
             "path": [\(strides)],\(jumps)
             "cell": [\(lines.joined(separator: ",\n          "))]}

            """
        return Data(text.utf8)
    }
}

extension Genotype: Codable {
    /// Reads the keys of the file format, as strictly as a file.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        try GenotypeDocument.check(keys: container.allKeys.map(\.stringValue))
        func value<T: Decodable>(_ type: T.Type, _ key: String) throws -> T {
            try container.decode(type, forKey: AnyKey(stringValue: key))
        }
        self = try GenotypeDocument(
            version: value(Int.self, "version"), layers: value(Int.self, "layers"),
            blocks: value(Int.self, "blocks"), path: value([Int].self, "path"),
            cell: value([[[String]]].self, "cell"),
            skips: container.decodeIfPresent([Int?].self, forKey: AnyKey(stringValue: "skips")),
            atrous: container.decodeIfPresent(String.self, forKey: AnyKey(stringValue: "atrous")),
            stem: container.decodeIfPresent(String.self, forKey: AnyKey(stringValue: "stem"))
        ).genotype()
    }

    /// Writes the keys of the file format.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try container.encode(Genotype.formatVersion, forKey: AnyKey(stringValue: "version"))
        try container.encode(layers, forKey: AnyKey(stringValue: "layers"))
        try container.encode(blocks, forKey: AnyKey(stringValue: "blocks"))
        try container.encode(path, forKey: AnyKey(stringValue: "path"))
        if hasSkips { try container.encode(skips, forKey: AnyKey(stringValue: "skips")) }
        if atrous != .dense { try container.encode(atrous.rawValue, forKey: AnyKey(stringValue: "atrous")) }
        if stem != .paper { try container.encode(stem.rawValue, forKey: AnyKey(stringValue: "stem")) }
        let names = cell.blocks.map { $0.branches.map { [$0.input.name, $0.op.rawValue] } }
        try container.encode(names, forKey: AnyKey(stringValue: "cell"))
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// The file's content with the right types, before its meaning is checked.
struct GenotypeDocument {
    var version = 0
    var layers = 0
    var blocks = 0
    var path: [Int] = []
    var cell: [[[String]]] = []
    /// None where it is not said.
    var skips: [Int?]?
    /// Dense where it is not said.
    var atrous: String?
    /// The paper's where it is not said.
    var stem: String?

    static let required = ["version", "layers", "blocks", "path", "cell"]
    static let keys = required + ["skips", "atrous", "stem"]

    static let otherKind = SearchSpaceError(
        location: "kind", problem: "this is no network's genotype but a decoder's, which goes with an encoder")

    static func check(keys found: [String]) throws {
        guard !found.contains("kind") else { throw otherKind }
        try check(keys: found, required: required, known: keys)
    }

    /// Checks the keys of a genotype file of any kind.
    static func check(keys found: [String], required: [String], known keys: [String]) throws {
        for key in found where !keys.contains(key) {
            let hint = nearest(to: key, among: keys).map { "; did you mean '\($0)'?" } ?? ""
            throw SearchSpaceError(location: quoted(key), problem: "unknown key" + hint)
        }
        for key in required where !found.contains(key) {
            throw SearchSpaceError(location: key, problem: "the key is missing")
        }
    }

    func genotype() throws -> Genotype {
        guard version == Genotype.formatVersion else {
            throw SearchSpaceError(
                location: "version",
                problem: "\(version) is not supported; this program reads version \(Genotype.formatVersion)")
        }
        try Genotype.check(count: layers, of: "layers", upTo: Genotype.maximumLayers)
        try Genotype.check(count: blocks, of: "blocks", upTo: Genotype.maximumBlocks)
        try check(path.count, "path", "strides", layers, "layers")
        try check(cell.count, "cell", "blocks", blocks, "blocks")
        if let skips { try check(skips.count, "skips", "entries", layers, "layers") }
        let strides = try path.enumerated().map { index, value in
            guard let stride = Stride(rawValue: value) else {
                throw SearchSpaceError(location: "path[\(index)]", problem: "\(value) is not 4, 8, 16 or 32")
            }
            return stride
        }
        let cells = try cell.enumerated().map { number, pair in
            try check(pair.count, "cell[\(number)]", "branches", 2, nil)
            return Block(
                first: try branch(pair[0], "cell[\(number)][0]"),
                second: try branch(pair[1], "cell[\(number)][1]"))
        }
        let genotype = Genotype(
            path: strides, skips: skips, cell: Cell(blocks: cells), atrous: try atrousKind(),
            stem: try stem.map { try StemKind.named($0, at: "stem") } ?? .paper)
        try genotype.validate()
        return genotype
    }

    private func atrousKind() throws -> AtrousKind {
        guard let atrous else { return .dense }
        guard let kind = AtrousKind(rawValue: atrous) else {
            throw SearchSpaceError(
                location: "atrous",
                problem: "\(quoted(atrous)) is not \(enumeration(AtrousKind.allCases.map(\.rawValue)))")
        }
        return kind
    }

    private func check(_ count: Int, _ location: String, _ what: String, _ wanted: Int, _ key: String?) throws {
        guard count == wanted else {
            let reason = key.map { "'\($0)' says \(wanted)" } ?? "there must be \(wanted)"
            throw SearchSpaceError(location: location, problem: "\(count) \(what), but \(reason)")
        }
    }

    private func branch(_ names: [String], _ location: String) throws -> Branch {
        guard names.count == 2 else {
            throw SearchSpaceError(
                location: location, problem: "a branch is [input, operator], but \(names.count) names are here")
        }
        guard let input = CellInput(name: names[0]) else {
            let known = ["previous", "previous2"] + (1..<max(blocks, 2)).map { "block\($0)" }
            let hint = nearest(to: names[0], among: known).map { "; did you mean '\($0)'?" } ?? ""
            throw SearchSpaceError(location: location + "[0]", problem: "unknown input \(quoted(names[0]))" + hint)
        }
        guard let op = Operator(rawValue: names[1]) else {
            let hint = nearest(to: names[1], among: Operator.allCases.map(\.rawValue))
                .map { "; did you mean '\($0)'?" }
            throw SearchSpaceError(
                location: location + "[1]", problem: "unknown operator \(quoted(names[1]))" + (hint ?? ""))
        }
        return Branch(input: input, op: op)
    }
}
