import Datasets
import Networks
import Yams

import enum Networks.CellSharing
import enum Networks.Recomputation
import enum SearchSpace.AtrousKind
import enum SearchSpace.ControllerFeedback
import enum SearchSpace.DecoderKind
import enum SearchSpace.HeadKind
import enum SearchSpace.LongSkipChoice
import enum SearchSpace.PathDecoding
import enum SearchSpace.PolicyRule
import enum SearchSpace.StemKind

/// A value that a configuration file can hold.
protocol SettingValue: Equatable, Sendable {
    /// What belongs here, in words: the end of "expected ...".
    static var expected: String { get }
    /// Reads a value; nil where the node is of another kind.
    init?(node: Node)
    /// The value as it stands in a file.
    var node: Node { get }
}

extension Int: SettingValue {
    static var expected: String { "a whole number" }

    init?(node: Node) {
        guard let text = node.plainText, let value = Int(text) else { return nil }
        self = value
    }

    var node: Node { Node(String(self)) }
}

extension Double: SettingValue {
    static var expected: String { "a number" }

    init?(node: Node) {
        // Not the words and hexadecimal forms that Double also reads.
        guard let text = node.plainText, text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }),
            let value = Double(text), value.isFinite
        else { return nil }
        self = value
    }

    var node: Node { Node(String(self)) }
}

extension Bool: SettingValue {
    static var expected: String { "true or false" }

    init?(node: Node) {
        switch node.plainText {
        case "true": self = true
        case "false": self = false
        default: return nil
        }
    }

    var node: Node { Node(String(self)) }
}

extension String: SettingValue {
    static var expected: String { "a text" }

    init?(node: Node) {
        guard let scalar = node.scalar else { return nil }
        self = scalar.string
    }

    var node: Node {
        // Quoted unless it is a plain word, so that a path with a colon or a class called "no" comes back as it was.
        let isWord =
            first?.isLetter == true && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_/.".contains($0)) }
        return Node(self, .implicit, isWord ? .plain : .doubleQuoted)
    }
}

extension Array: SettingValue where Element: SettingValue {
    static var expected: String { "a list, each \(Element.expected)" }

    init?(node: Node) {
        guard let nodes = node.sequence else { return nil }
        let values = nodes.compactMap { Element(node: $0) }
        guard values.count == nodes.count else { return nil }
        self = values
    }

    var node: Node { Node(map(\.node), .implicit, .flow) }
}

extension Dictionary: SettingValue where Key == Int, Value == Int {
    static var expected: String { "a mapping of whole numbers" }

    init?(node: Node) {
        guard let mapping = node.mapping else { return nil }
        self.init()
        for (key, value) in mapping {
            guard let key = Int(node: key), let value = Int(node: value) else { return nil }
            self[key] = value
        }
    }

    var node: Node { Node(sorted { $0.key < $1.key }.map { ($0.key.node, $0.value.node) }, .implicit, .flow) }
}

extension CropSize: SettingValue {
    static var expected: String { "a list of height and width" }

    init?(node: Node) {
        guard let sides = [Int](node: node), sides.count == 2 else { return nil }
        self.init(height: sides[0], width: sides[1])
    }

    var node: Node { [height, width].node }
}

extension CheckpointInterval: SettingValue {
    static var expected: String { "epoch, 'N steps' or 'N min'" }

    init?(node: Node) {
        guard let scalar = node.scalar else { return nil }
        self.init(scalar.string)
    }

    var node: Node { Node(description) }
}

/// A value that is one of a few words.
protocol ChoiceValue: SettingValue, CaseIterable, RawRepresentable<String> {}

extension ChoiceValue {
    static var expected: String {
        let words = allCases.map(\.rawValue)
        return words.count < 2
            ? words.joined() : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
    }

    init?(node: Node) {
        guard let text = node.plainText else { return nil }
        self.init(rawValue: text)
    }

    var node: Node { Node(rawValue) }
}

extension DeviceChoice: ChoiceValue {}
extension Precision: ChoiceValue {}
extension NonFinitePolicy: ChoiceValue {}
extension DataFormat: ChoiceValue {}
extension KnownClasses: ChoiceValue {}
extension MaskForm: ChoiceValue {}
extension CellSharing: ChoiceValue {}
extension AtrousKind: ChoiceValue {}
extension LongSkipChoice: ChoiceValue {}
extension StemKind: ChoiceValue {}
extension Recomputation: ChoiceValue {}
extension SearchStrategy: ChoiceValue {}
extension SearchedSpace: ChoiceValue {}
extension PathDecoding: ChoiceValue {}
extension PriceUnit: ChoiceValue {}
extension ControllerFeedback: ChoiceValue {}
extension PolicyRule: ChoiceValue {}
extension ControllerReward: ChoiceValue {}
extension FirstLayer: ChoiceValue {}
extension CellSelection: ChoiceValue {}
extension HeadKind: ChoiceValue {}
extension OptimizerKind: ChoiceValue {}
extension SearchLoss: ChoiceValue {}
extension ScheduleKind: ChoiceValue {}
extension EncoderChoice: ChoiceValue {}
extension DecoderKind: ChoiceValue {
    static var expected: String {
        allCases.map(\.rawValue).joined(separator: ", ")
            + " or a genotype's numbers as nekrasov:8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0"
    }
}

extension Node {
    /// The text of a scalar that is not quoted: numbers, true, false and words of choice.
    var plainText: String? {
        guard let scalar, scalar.style == .plain || scalar.style == .any else { return nil }
        return scalar.string
    }

    /// The node on one line, shortened, for a message.
    var excerpt: String {
        switch self {
        case .scalar(let scalar): return "'\(shortened(scalar.string))'"
        case .sequence(let nodes): return shortened("[" + nodes.prefix(8).map(\.excerpt).joined(separator: ", ") + "]")
        case .mapping: return "a mapping"
        case .alias: return "an alias"
        }
    }
}

/// At most 60 characters of a text, all on one line.
private func shortened(_ text: String) -> String {
    let line = text.prefix(61).map { $0.isNewline ? " " : $0 }
    return line.count > 60 ? String(line.prefix(57)) + "..." : String(line)
}
