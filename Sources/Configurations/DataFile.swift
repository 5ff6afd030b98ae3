import Foundation
import Images
import Yams

/// `data.yaml` in a data set's folder: the settings of the group `data` that belong to the data itself, said once.
///
/// Presets give way to it, a configuration file and overrides do not.
package enum DataFile {
    /// What the file is called.
    static let name = "data.yaml"

    /// What it may say, besides the groups.
    ///
    /// Where files may lie and how much memory is used is for whoever runs the program to say.
    private static let allowed = [
        "data.format", "data.masks", "data.minimumLabelledPixels", "data.longerSide", "data.channels", "data.shown",
        "data.tiles.size",
    ]
    private static let allowedGroups = ["data.classes.", "data.labels.", "data.splits."]

    /// The settings that it may give, by their names below `data`.
    static let settings = Dictionary(
        uniqueKeysWithValues: Setting.all
            .filter { setting in
                allowed.contains(setting.key)
                    || allowedGroups.contains { setting.key.hasPrefix($0) } && setting.key != "data.splits.file"
            }
            .map { (String($0.key.dropFirst("data.".count)), $0) })

    /// The file in a folder; nil where there is none.
    package static func path(in root: String) -> String? {
        let path = root.hasSuffix("/") ? root + name : root + "/" + name
        return !root.isEmpty && FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// What the file in a folder says; nil where there is none.
    static func layer(in root: String) throws(ConfigurationError) -> ConfigurationLayer? {
        guard let path = path(in: root) else { return nil }
        let source = Origin(source: path)
        guard let node = try composeBounded(configurationText(ofFile: path), source: source) else { return nil }
        return try ConfigurationLayer(dataFile: rewritten(node, source: source), source: source)
    }

    /// The file's mapping with classes in the form of the settings.
    private static func rewritten(_ node: Node, source: Origin) throws(ConfigurationError) -> Node {
        guard case .mapping(let mapping) = node else { return node }
        let keys = mapping.keys.compactMap(\.scalar?.string)
        if keys.contains("nc") || keys.contains("names") && !Set(keys).isDisjoint(with: ["train", "val", "path"]) {
            throw ConfigurationError(
                .unknownKey, at: source,
                "this is YOLO's file (it has \(keys.prefix(6).joined(separator: ", "))), which is not read: rename it; a"
                    + " \(name) of this program has keys as classes, masks, labels, splits")
        }
        var pairs: [(Node, Node)] = []
        for (key, value) in mapping {
            let text = key.scalar?.string ?? ""
            if settings[text] == nil, Setting.byKey["data." + text] != nil {
                throw ConfigurationError(
                    .unknownKey, at: place(key, source),
                    "'\(text)' is not for the data's own file to say: set data.\(text) in the configuration")
            }
            pairs.append((key, text == "classes" ? try classes(value, key: key, source: source) : value))
        }
        return Node(pairs, .implicit, .block)
    }

    /// A list of names, or names with their colours, as the settings have them.
    private static func classes(_ value: Node, key: Node, source: Origin) throws(ConfigurationError) -> Node {
        func group(_ pairs: [(String, Node)]) -> Node {
            Node(pairs.map { (.scalar(Node.Scalar($0.0, .implicit, .plain, key.mark)), $0.1) }, .implicit, .block)
        }
        if case .sequence = value { return group([("names", value)]) }
        guard case .mapping(let mapping) = value else { return value }
        let keys = mapping.keys.compactMap(\.scalar?.string)
        if Set(keys).isSubset(of: ["file", "names", "colors", "known"]) {
            if let file = mapping["file"]?.scalar?.string,
                file.hasPrefix("/") || file.split(separator: "/").contains("..")
            {
                throw ConfigurationError(
                    .outOfRange, at: place(key, source), "classes.file: '\(file)' lies outside of the data set's folder"
                )
            }
            return value
        }
        var colors: [Node] = []
        for (name, color) in mapping {
            guard let hex = hex(color) else {
                throw ConfigurationError(
                    .wrongType, at: place(name, source),
                    "classes: \(name.excerpt) needs a colour as [128, 64, 128] or \"#804080\" (in quotes, or it is a"
                        + " comment); for names alone write a list")
            }
            colors.append(Node(hex, .implicit, .doubleQuoted))
        }
        return group([
            ("names", Node(mapping.map(\.key), .implicit, .flow)), ("colors", Node(colors, .implicit, .flow)),
        ])
    }

    private static func hex(_ node: Node) -> String? {
        if let text = node.scalar?.string, let color = Color(hex: text) { return color.hex }
        let texts =
            node.sequence.map { $0.compactMap(\.scalar?.string) }
            ?? node.scalar?.string.split { $0 == " " || $0 == "," }.map(String.init)
        let channels = (texts ?? []).compactMap { UInt8($0) }
        guard texts?.count == 3, channels.count == 3 else { return nil }
        return Color(channels[0], channels[1], channels[2]).hex
    }

    private static func place(_ node: Node, _ source: Origin) -> Origin {
        Origin(source: source.source, line: node.mark?.line)
    }
}
