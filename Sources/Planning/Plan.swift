import Configurations
import Datasets
import Experiments
import Foundation
import Runs
import SearchSpace

/// What a run is going to do with its time: a configuration, with a reason for each choice, and the time of each stage.
///
/// Minutes become steps here, once. From then on steps count, so that a run that was stopped and goes on ends with the
/// same network as one that was not.
public struct Plan: Equatable, Codable, Sendable {
    /// A choice and why it was made.
    public struct Reason: Equatable, Codable, Sendable {
        /// The setting, or several.
        public var key: String
        /// The reason, with the figures it rests on.
        public var text: String
    }

    /// A part of the run and the seconds that it is expected to take.
    public struct Stage: Equatable, Codable, Sendable {
        /// Its name.
        public var name: String
        /// The expected time.
        public var seconds: Double
    }

    /// The whole time in seconds.
    public var budget: Double
    /// The data.
    public var facts: DataFacts
    /// What was decided about the data.
    public var notes: [String]
    /// Why the configuration is as it is.
    public var reasons: [Reason]
    /// What is done, in order.
    public var stages: [Stage]
    /// Seconds of a training step, as measured here.
    public var secondsPerStep: Double
    /// Bytes that the process took by then.
    public var bytes: Int
    /// The processor that this was measured on.
    public var processor: String

    /// The configuration as a YAML text, the reasons in front.
    ///
    /// - Parameter configuration: The plan's configuration.
    /// - Returns: A file that `--config` takes.
    package func yaml(of configuration: Configuration) -> String {
        var lines = [
            "# A plan for \(Budget.text(budget)), made by measuring the data and this machine (\(processor)).",
            "# Change what you like, and go on with `autodeeplab run --config` this file.", "#",
        ]
        lines += notes.map { "# data: " + onOneLine($0) }
        lines += reasons.map { "# \($0.key): \(onOneLine($0.text))" }
        lines += stages.map { "# time: \($0.name), \(Budget.text($0.seconds))" }
        return lines.joined(separator: "\n") + "\n" + configuration.yaml()
    }
}

/// A text on one line, whatever was in a file's name.
private func onOneLine(_ text: String) -> String {
    String(text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? " " : $0 })
}
