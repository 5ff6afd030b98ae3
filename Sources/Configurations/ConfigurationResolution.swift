import Foundation
import JSON
import Torch
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
    ///   - overrides: What stands over all else, as `key=value`.
    /// - Returns: A configuration that `validate()` has passed.
    /// - Throws: The first fault, in one line that names its place.
    public static func resolve(
        preset: String? = nil, file: String? = nil, overrides: [String] = []
    ) throws(ConfigurationError) -> Configuration {
        try put(presetLayers(preset), fileLayers(file), overrideLayers(overrides))
    }

    /// Puts a configuration together for a data set, whose folder may hold settings of its own (`data.yaml`).
    ///
    /// They take the place of the defaults and the preset's; a file and overrides take theirs.
    ///
    /// - Parameters:
    ///   - preset: The name of a preset.
    ///   - file: The path of a YAML file.
    ///   - overrides: What stands over all else, as `key=value`.
    ///   - folder: The data set's folder; nil takes `data.root`.
    /// - Returns: A configuration that `validate()` has passed, with the folder in it.
    /// - Throws: The first fault, in one line that names its place.
    public static func resolve(
        preset: String?, file: String?, overrides: [String], dataFolder folder: String?
    ) throws(ConfigurationError) -> Configuration {
        let (preset, file, overrides) = try (presetLayers(preset), fileLayers(file), overrideLayers(overrides))
        var configuration = try put(preset, file, overrides)
        // Not by way of YAML, in which a path could mean something else.
        if let folder { configuration.data.root = folder }
        guard let own = try DataFile.layer(in: configuration.data.root) else { return configuration }
        let root = configuration.data.root
        configuration = try put(preset, [own], file, overrides)
        configuration.data.root = root
        return configuration
    }

    private static func presetLayers(_ preset: String?) throws(ConfigurationError) -> [ConfigurationLayer] {
        guard let preset else { return [] }
        return [try ConfigurationLayer(yaml: text(ofPreset: preset), source: Origin(source: "preset \(preset)"))]
    }

    private static func fileLayers(_ file: String?) throws(ConfigurationError) -> [ConfigurationLayer] {
        guard let file else { return [] }
        return [try ConfigurationLayer(yaml: configurationText(ofFile: file), source: Origin(source: file))]
    }

    private static func overrideLayers(_ overrides: [String]) throws(ConfigurationError) -> [ConfigurationLayer] {
        var layers: [ConfigurationLayer] = []
        for override in overrides { layers.append(try ConfigurationLayer(override: override)) }
        return layers
    }

    /// Puts one source after the other over the defaults; each may consist of several layers.
    private static func put(_ sources: [ConfigurationLayer]...) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        for layers in sources {
            // Classes are said in one of several ways: a later source need not undo that of an earlier one.
            if layers.contains(where: \.namesClasses) { configuration.data.classes = ClassConfiguration() }
            for layer in layers { try layer.apply(to: &configuration) }
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
        if !train.classWeights.isEmpty, !train.classWeights.contains(where: { $0 > 0 }) {
            throw ConfigurationError(
                .contradiction, "train.classWeights are all 0, so nothing would be learnt: leave them out")
        }
        if let encoder = train.encoder.kind, !train.auxiliary.layers.isEmpty {
            throw ConfigurationError(
                .contradiction,
                "train.auxiliary.layers: \(encoder.rawValue) has no layers of a genotype: leave them out, or train.encoder"
            )
        }
        if search.space == .decoders { try refuseOtherSearches() }
        if !search.poolSteps.isEmpty, search.poolSteps.count != search.pool.count {
            throw ConfigurationError(
                .contradiction,
                "search.poolSteps has \(search.poolSteps.count) numbers for \(search.pool.count) networks in search.pool: "
                    + "give one for each, or none")
        }
        if search.blocks * search.filters % 2 != 0 {
            throw ConfigurationError(
                .contradiction,
                "search.blocks times search.filters is \(search.blocks * search.filters), and the stem needs an even "
                    + "number: raise one of them by 1")
        }
        try validateChannels()
        if !data.classes.file.isEmpty && !data.classes.names.isEmpty {
            throw ConfigurationError(
                .contradiction, "data.classes.file and data.classes.names are both given: give one of them")
        }
        if data.classes.known != .none && !(data.classes.file.isEmpty && data.classes.names.isEmpty) {
            throw ConfigurationError(
                .contradiction,
                "data.classes.known is \(data.classes.known), and file or names are given too: give one of them")
        }
        if !data.classes.colors.isEmpty, data.classes.colors.count != data.classes.names.count {
            throw ConfigurationError(
                .contradiction,
                "data.classes.colors: \(data.classes.colors.count) colours for \(data.classes.names.count) names: give one"
                    + " for each name, or none")
        }
        if Set(data.classes.names).count != data.classes.names.count || data.classes.names.contains("") {
            throw ConfigurationError(.contradiction, "data.classes.names: a name is empty or stands there twice")
        }
    }

    /// Refuses what does not go with a search of decoders.
    private func refuseOtherSearches() throws(ConfigurationError) {
        func refuse(_ problem: String) -> ConfigurationError { ConfigurationError(.contradiction, problem) }
        if train.encoder == .none {
            throw refuse(
                "search.space: decoders are searched for an encoder: set train.encoder to one of "
                    + EncoderChoice.allCases.dropFirst().map(\.rawValue).joined(separator: ", "))
        }
        if search.method == .paper {
            throw refuse(
                "search.space: decoders are not found by search.method=paper: set it to reinforcement, evolution, random "
                    + "or race")
        }
        if search.stem != .paper {
            throw refuse(
                "search.stem: decoders lie behind the whole of train.encoder: set search.stem to paper, or search.space to "
                    + "networks")
        }
        if search.pool.contains(SearchConfiguration.searched) || !search.supernet.isEmpty {
            throw refuse(
                "search.space: decoders have no supernet: leave search.supernet, and `paper` in search.pool, out")
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
package func yamlLine(of node: Node) -> String {
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
func configurationText(ofFile path: String) throws(ConfigurationError) -> String {
    let bytes: Data
    do {
        bytes = try boundedContents(of: path, limit: largestConfigurationFile)
    } catch {
        throw ConfigurationError(error.kind == .damaged ? .malformed : .unreadable, error.description)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw ConfigurationError(.malformed, "\(path): is not UTF-8 text")
    }
    return text
}
