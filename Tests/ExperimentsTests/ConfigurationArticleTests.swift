import Configurations
import Foundation
import Testing

/// The article that lists every setting is made from the code: keys, defaults and ranges from the table of settings,
/// the words from the properties' documentation.
@Suite("Configuration article")
struct ConfigurationArticleTests {
    private static let sources = #filePath.components(separatedBy: "/Tests/")[0] + "/Sources"

    /// The documentation and the type of a property.
    private struct Property {
        let words: String
        let type: String?
    }

    @Test("The article is what the code says (UPDATE_DOCUMENTATION=1 writes it)")
    func article() throws {
        let path = Self.sources + "/Experiments/Experiments.docc/Configuration-article.md"
        let article = try Self.article()
        if ProcessInfo.processInfo.environment["UPDATE_DOCUMENTATION"] != nil {
            try Data(article.utf8).write(to: URL(fileURLWithPath: path))
        }
        #expect(try article == String(contentsOfFile: path, encoding: .utf8))
    }

    private static func article() throws -> String {
        let structures = try structures()
        let defaults = Configuration().texts
        var lines = [
            "# Configuration", "", "Every key, its default, what it may be, and what it means.", "", "## Overview", "",
            "A value comes from, in rising precedence: the default, a preset, a file, `--set key=value`. Keys are the",
            "file's dotted paths. This page is made from the code by `ConfigurationArticleTests`.",
        ]
        var group: Substring?
        for (key, allowed) in Configuration.keys {
            let parts = key.split(separator: ".")
            let own = parts.count > 1 ? parts[0] : "general"
            if own != group {
                lines += ["", "### \(own)", "", "| key | default | allowed | meaning |", "|---|---|---|---|"]
                group = own
            }
            var type = "Configuration"
            var words = ""
            for part in parts {
                let property = try #require(structures[type]?[String(part)], "\(key): no documented \(part) in \(type)")
                words = property.words
                type = property.type ?? ""
            }
            let value = try #require(defaults[key])
            lines.append("| `\(key)` | `\(value)` | \(allowed) | \(words) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The properties of each structure of the configuration, read from its source.
    private static func structures() throws -> [String: [String: Property]] {
        let folder = sources + "/Configurations"
        var result: [String: [String: Property]] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix(".swift") {
            var structure = ""
            var words: [Substring] = []
            for line in try String(contentsOfFile: folder + "/" + file, encoding: .utf8).split(separator: "\n") {
                let text = line.drop { $0 == " " }
                if text.hasPrefix("/// ") {
                    words.append(text.dropFirst(4))
                    continue
                }
                if let match = text.firstMatch(of: /^public struct (\w+)/) { structure = String(match.1) }
                if let match = text.firstMatch(of: /^public var (\w+).* = (?:(\w+Configuration)\()?/) {
                    result[structure, default: [:]][String(match.1)] = Property(
                        words: words.joined(separator: " "), type: match.2.map(String.init))
                }
                words = []
            }
        }
        return result
    }
}
