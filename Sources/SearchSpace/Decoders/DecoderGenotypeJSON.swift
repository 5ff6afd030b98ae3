import Foundation
import JSON

extension DecoderGenotype {
    /// Reads a decoder's genotype file, strictly: anything unknown, missing or out of place is an error.
    ///
    /// It is the genotype format's second kind, `"kind": "decoder"`.
    ///
    /// - Parameters:
    ///   - json: the file's bytes.
    ///   - source: the file's name for messages.
    /// - Throws: `SearchSpaceError` naming the source and the place.
    public init(json: Data, source: String) throws {
        self = try Genotype.read(json, source: source) { try DecoderGenotypeDocument(&$0).genotype() }
    }

    /// Whether a genotype file is one of a decoder, or says that it is of a kind that is not a network's.
    package static func isKind(of json: Data) -> Bool {
        JSONScanner(Array(json), maximumDepth: 16).documentKeys.contains("kind")
    }

    /// The genotype file's bytes, always the same for equal genotypes.
    public func json() -> Data {
        let maps = blocks.map { "[\($0.first), \($0.second)]" }
        let nodes = cell.nodes.map { node in
            "[" + node.branches.map { "[\($0.position), \"\($0.operation.rawValue)\"]" }.joined(separator: ", ") + "]"
        }
        let text = """
            {"version": \(Genotype.formatVersion), "kind": "decoder",
             "blocks": [\(maps.joined(separator: ", "))],
             "node0": "\(cell.first.rawValue)",
             "nodes": [\(nodes.joined(separator: ",\n           "))]}

            """
        return Data(text.utf8)
    }
}

/// The file's content with the right types, before its meaning is checked.
private struct DecoderGenotypeDocument {
    private typealias NamedBranch = (position: Int, operation: String)

    private var version = 0
    private var kind = ""
    private var blocks: [[Int]] = []
    private var node0 = ""
    private var nodes: [[NamedBranch]] = []

    private static let keys = ["version", "kind", "blocks", "node0", "nodes"]

    init(_ scanner: inout JSONScanner) throws {
        let keys = scanner.documentKeys
        guard keys.contains("kind") || !keys.contains("path") else {
            throw SearchSpaceError(problem: "this is no decoder's genotype but a network's, which has no encoder")
        }
        var found: [String] = []
        guard try scanner.next() == UInt8(ascii: "{") else { throw try scanner.mismatch("an object") }
        try scanner.document { key, scanner in
            found.append(key)
            switch key {
            case "version": version = try scanner.wholeNumber()
            case "kind": kind = try scanner.text()
            case "blocks": blocks = try scanner.list { try $0.list { try $0.wholeNumber() } }
            case "node0": node0 = try scanner.text()
            case "nodes": nodes = try scanner.list { try $0.list { try Self.branch(&$0) } }
            default: try scanner.skip()
            }
        }
        try GenotypeDocument.check(keys: found, required: Self.keys, known: Self.keys)
    }

    private static func branch(_ scanner: inout JSONScanner) throws -> NamedBranch {
        let place = scanner.place
        var position: Int?
        var operation: String?
        var count = 0
        guard try scanner.next() == UInt8(ascii: "[") else { throw try scanner.mismatch("a list") }
        try scanner.array { scanner in
            switch count {
            case 0: position = try scanner.wholeNumber()
            case 1: operation = try scanner.text()
            default: try scanner.skip()
            }
            count += 1
        }
        guard count == 2, let position, let operation else {
            throw SearchSpaceError(
                location: place, problem: "a branch is [position, operation], but \(count) values are here")
        }
        return (position, operation)
    }

    func genotype() throws -> DecoderGenotype {
        guard version == Genotype.formatVersion else {
            throw SearchSpaceError(
                location: "version",
                problem: "\(version) is not supported; this program reads version \(Genotype.formatVersion)")
        }
        guard kind == "decoder" else {
            throw SearchSpaceError(location: "kind", problem: "\(quoted(kind)) is not 'decoder'")
        }
        let genotype = DecoderGenotype(
            blocks: try blocks.enumerated().map { number, maps in
                try checkPair(maps.count, of: "maps", "blocks[\(number)]")
                return DecoderBlock(maps[0], maps[1])
            },
            cell: DecoderCell(
                first: try operation(node0, "node0"),
                nodes: try nodes.enumerated().map { number, branches in
                    try checkPair(branches.count, of: "branches", "nodes[\(number)]")
                    return DecoderNode(
                        try branch(branches[0], "nodes[\(number)][0]"), try branch(branches[1], "nodes[\(number)][1]"))
                }))
        try genotype.validate()
        return genotype
    }

    private func checkPair(_ count: Int, of what: String, _ location: String) throws {
        guard count == 2 else {
            throw SearchSpaceError(location: location, problem: "\(count) \(what), but there must be 2")
        }
    }

    private func branch(_ branch: NamedBranch, _ location: String) throws -> DecoderBranch {
        DecoderBranch(branch.position, try operation(branch.operation, location + "[1]"))
    }

    private func operation(_ name: String, _ location: String) throws -> DecoderOperation {
        guard let operation = DecoderOperation(rawValue: name) else {
            let hint = nearest(to: name, among: DecoderOperation.allCases.map(\.rawValue))
                .map { "; did you mean '\($0)'?" }
            throw SearchSpaceError(location: location, problem: "unknown operation \(quoted(name))" + (hint ?? ""))
        }
        return operation
    }
}
