import Foundation
import Yams

import func SearchSpace.nearest

extension Configuration {
    /// Names of the presets, in alphabetical order.
    public static let presets = PresetTexts.all.keys.sorted()

    /// Puts a configuration together: defaults, then a preset, then a file, then each `key=value` in turn.
    ///
    /// - Parameters:
    ///   - preset: The name of a preset.
    ///   - file: The path of a YAML file.
    ///   - overrides: What `--set` was given, as `key=value`.
    /// - Returns: A configuration that `validate()` has passed.
    /// - Throws: The first fault, in one line that names its place.
    public static func resolve(
        preset: String? = nil, file: String? = nil, overrides: [String] = []
    ) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        if let preset {
            let layer = try ConfigurationLayer(yaml: text(ofPreset: preset), source: Origin(source: "preset \(preset)"))
            try layer.apply(to: &configuration)
        }
        if let file {
            let layer = try ConfigurationLayer(yaml: configurationText(ofFile: file), source: Origin(source: file))
            try layer.apply(to: &configuration)
        }
        for override in overrides {
            try ConfigurationLayer(override: override).apply(to: &configuration)
        }
        try configuration.validate()
        return configuration
    }

    /// Reads a configuration from a YAML text over the defaults; `source` names it in errors.
    public static func parse(yaml: String, source: String) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        try ConfigurationLayer(yaml: yaml, source: Origin(source: source)).apply(to: &configuration)
        try configuration.validate()
        return configuration
    }

    /// The YAML text of a preset, comments included.
    public static func text(ofPreset name: String) throws(ConfigurationError) -> String {
        guard let text = PresetTexts.all[name] else {
            let hint = nearest(to: name, among: presets).map { "; did you mean '\($0)'?" } ?? ""
            throw ConfigurationError(
                .unknownPreset, "unknown preset '\(name)'\(hint) (presets: \(presets.joined(separator: ", ")))")
        }
        return text
    }

    /// Checks that every value is allowed and that none contradicts another.
    public func validate() throws(ConfigurationError) {
        for setting in Setting.all where !setting.isAllowed(self) {
            throw ConfigurationError(
                .outOfRange,
                "\(setting.key): \(setting.get(self).excerpt) is out of range; expected \(setting.allowed)")
        }
        if search.architectureFrom >= search.epochs {
            throw ConfigurationError(
                .contradiction,
                "search.architectureFrom: \(search.architectureFrom) must be less than search.epochs, \(search.epochs), "
                    + "or alpha and beta are never trained")
        }
        if train.iterations == 0 && train.epochs == 0 {
            throw ConfigurationError(.contradiction, "train.epochs and train.iterations are both 0: give one of them")
        }
        if search.blocks * search.filters % 2 != 0 {
            throw ConfigurationError(
                .contradiction,
                "search.blocks times search.filters is \(search.blocks * search.filters), and the stem needs an even "
                    + "number: raise one of them by 1")
        }
        if !data.classes.file.isEmpty && !data.classes.names.isEmpty {
            throw ConfigurationError(
                .contradiction, "data.classes.file and data.classes.names are both given: give one of them")
        }
        if data.classes.known != .none && !(data.classes.file.isEmpty && data.classes.names.isEmpty) {
            throw ConfigurationError(
                .contradiction,
                "data.classes.known is \(data.classes.known), and file or names are given too: give one of them")
        }
        if Set(data.classes.names).count != data.classes.names.count || data.classes.names.contains("") {
            throw ConfigurationError(.contradiction, "data.classes.names: a name is empty or stands there twice")
        }
    }

    /// The whole configuration as a YAML text that reads back as it was.
    public func yaml() -> String {
        var lines: [String] = []
        var open: [Substring] = []
        for setting in Setting.all {
            let parts = setting.key.split(separator: ".")
            let groups = Array(parts.dropLast())
            let shared = zip(open, groups).prefix { $0 == $1 }.count
            for depth in shared..<groups.count { lines.append(indentation(depth) + groups[depth] + ":") }
            open = groups
            lines.append(indentation(groups.count) + parts[parts.count - 1] + ": " + yamlLine(of: setting.get(self)))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Every key there is and what it may be, in the order of a written file.
    package static var keys: [(key: String, allowed: String)] { Setting.all.map { ($0.key, $0.allowed) } }

    /// Every key with its value as it stands in a file.
    package var texts: [String: String] {
        Dictionary(Setting.all.map { ($0.key, yamlLine(of: $0.get(self))) }, uniquingKeysWith: { $1 })
    }
}

private func indentation(_ depth: Int) -> String {
    String(repeating: "  ", count: depth)
}

/// A value as one line of YAML.
func yamlLine(of node: Node) -> String {
    switch node {
    case .sequence(let nodes): "[" + nodes.map(yamlLine).joined(separator: ", ") + "]"
    case .scalar(let scalar) where scalar.style == .doubleQuoted: jsonText(scalar.string)
    case .scalar(let scalar): scalar.string
    case .mapping(let pairs):
        "{" + pairs.map { yamlLine(of: $0.key) + ": " + yamlLine(of: $0.value) }.joined(separator: ", ") + "}"
    case .alias: ""
    }
}

/// A configuration file's text, its size bounded before it is read.
private func configurationText(ofFile path: String) throws(ConfigurationError) -> String {
    let bytes: Data
    do {
        bytes = try boundedContents(of: path, limit: largestConfigurationFile)
    } catch {
        throw ConfigurationError(error.reason == .damaged ? .malformed : .unreadable, error.description)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw ConfigurationError(.malformed, "\(path): is not UTF-8 text")
    }
    return text
}
