import Foundation
import Yams

import func SearchSpace.nearest

/// The values that one file, preset or `key=value` gives, each with the place where it was written.
struct ConfigurationLayer {
    /// A value, not yet read.
    struct Entry {
        let setting: Setting
        let node: Node
        let origin: Origin
    }

    private(set) var entries: [Entry] = []
    private let known: [String: Setting]
    private let source: Origin

    /// Reads a YAML text: a mapping whose keys all are known.
    init(yaml text: String, source: Origin) throws(ConfigurationError) {
        self.known = Setting.byKey
        self.source = source
        guard let root = try composeBounded(text, source: source) else { return }
        try add(root, prefix: "")
    }

    /// Takes the mapping of a data set's own file, whose keys lack the `data.` in front.
    init(dataFile root: Node, source: Origin) throws(ConfigurationError) {
        self.known = DataFile.settings
        self.source = source
        try add(root, prefix: "")
    }

    /// Reads one `key=value`, the value being a YAML scalar or list.
    init(override text: String) throws(ConfigurationError) {
        let source = Origin(source: "'\(text.prefix(100))'", isCommandLine: true)
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw ConfigurationError(.malformed, at: source, "expected key=value, as in search.epochs=10")
        }
        self.known = Setting.byKey
        self.source = source
        let value = String(text[text.index(after: equals)...])
        let node = try composeBounded(value, source: source) ?? Node("", .implicit, .doubleQuoted)
        try add(node, key: text[..<equals].trimmingCharacters(in: .whitespaces), origin: source)
    }

    /// Puts the values in place; refuses those of the wrong kind or out of range.
    func apply(to configuration: inout Configuration) throws(ConfigurationError) {
        for entry in entries {
            guard let reason = entry.setting.put(entry.node, &configuration) else { continue }
            let fault = reason == .wrongType ? "is not of the kind that belongs here" : "is out of range"
            throw ConfigurationError(
                reason, at: entry.origin,
                "\(entry.setting.key): \(entry.node.excerpt) \(fault); expected \(entry.setting.allowed)")
        }
    }

    /// Whether it names classes, which takes the place of all that was said of them before.
    var namesClasses: Bool {
        entries.contains { ["data.classes.file", "data.classes.names", "data.classes.known"].contains($0.setting.key) }
    }

    private mutating func add(_ node: Node, prefix: String) throws(ConfigurationError) {
        guard case .mapping(let mapping) = node else {
            let place = prefix.isEmpty ? "the file" : String(prefix.dropLast())
            throw ConfigurationError(
                .wrongType, at: origin(of: node), "\(place): \(node.excerpt) where a mapping of keys belongs")
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw ConfigurationError(.unknownKey, at: origin(of: key), "\(key.excerpt) cannot be a key")
            }
            try add(value, key: prefix + name, origin: origin(of: key))
        }
    }

    private mutating func add(_ node: Node, key: String, origin: Origin) throws(ConfigurationError) {
        if let setting = known[key] {
            entries.append(Entry(setting: setting, node: node, origin: origin))
        } else if known.keys.contains(where: { $0.hasPrefix(key + ".") }) {
            // A group with nothing in it, as where all its lines are commented out.
            if node.plainText?.isEmpty == true { return }
            try add(node, prefix: key + ".")
        } else {
            throw unknown(key, origin: origin)
        }
    }

    private func unknown(_ key: String, origin: Origin) -> ConfigurationError {
        let shown = key.count > 80 ? key.prefix(77) + "..." : key[...]
        guard let nearest = nearest(to: key, among: namesAndGroups) else {
            return ConfigurationError(.unknownKey, at: origin, "unknown key '\(shown)'")
        }
        return ConfigurationError(.unknownKey, at: origin, "unknown key '\(shown)'; did you mean '\(nearest)'?")
    }

    /// The keys and the groups that they stand in, in alphabetical order.
    private var namesAndGroups: [String] {
        var names = Set(known.keys)
        for name in known.keys {
            for (place, character) in zip(name.indices, name) where character == "." {
                names.insert(String(name[..<place]))
            }
        }
        return names.sorted()
    }

    private func origin(of node: Node) -> Origin {
        guard !source.isCommandLine else { return source }
        var origin = source
        origin.line = node.mark?.line
        return origin
    }
}
