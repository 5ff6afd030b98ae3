import ArgumentParser
import Configurations
import Foundation
import Runs

/// Showing the settings instead of using them.
struct PrintOptions: ParsableArguments {
    @Flag(help: "Print the settings that would be used, as --config takes them, and do nothing else.")
    var printConfig = false

    /// Prints the settings where that is asked for.
    ///
    /// - Returns: Whether nothing else is to be done.
    func isDone(with configuration: @autoclosure () throws -> Configuration) rethrows -> Bool {
        guard printConfig else { return false }
        print(try configuration().yaml(), terminator: "")
        return true
    }
}

/// Where a configuration comes from.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A configuration file.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A configuration that is built in: \(Configuration.presets.joined(separator: ", ")).", valueName: "name"))
    var preset: String?

    @Option(help: ArgumentHelp("Folder of the data set.", valueName: "dir"))
    var data: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Change one setting, as search.epochs=10; may be repeated.", valueName: "key=value"))
    var settings: [String] = []

    /// Defaults, preset, file, `--set`, then the options that have a flag of their own.
    ///
    /// A run that goes on takes its own configuration in place of the file, unless it is given another.
    ///
    /// - Parameters:
    ///   - shared: The options of every verb.
    ///   - run: The folder of the run that goes on; nil for a new one.
    ///   - more: What other options stand for, each `key=value`.
    /// - Returns: The configuration.
    /// - Throws: `ConfigurationError` with the first fault.
    func resolve(
        _ shared: SharedOptions, resuming run: String? = nil, with more: [String] = []
    ) throws -> Configuration {
        try resolve(shared, remembered: run.map { RunPaths(folder: $0).configuration }, with: more)
    }

    /// As ``resolve(_:resuming:with:)``, with the path of the configuration to go on with, which may be missing.
    func resolve(
        _ shared: SharedOptions, remembered own: String?, with more: [String] = []
    ) throws -> Configuration {
        let overrides = settings + shared.overrides + more
        if let own, config == nil, preset == nil, FileManager.default.fileExists(atPath: own) {
            // What the data's folder says is in there, as it was.
            var configuration = try Configuration.resolve(file: own, overrides: overrides)
            // Not by way of YAML, in which a path could mean something else.
            if let data { configuration.data.root = data }
            return configuration
        }
        return try Configuration.resolve(
            preset: preset, file: config, overrides: overrides, dataFolder: data)
    }
}
