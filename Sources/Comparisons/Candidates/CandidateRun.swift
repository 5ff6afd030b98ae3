import Configurations
import Experiments
import Reporting
import Runs
import Torch

/// The training of a candidate, in a run folder of its own.
struct CandidateRun {
    let candidate: Candidate
    /// Its number and name, which its folder has too.
    let name: String
    /// The search's configuration with the candidate's filters.
    let configuration: Configuration
    let paths: RunPaths

    init(_ candidate: Candidate, number: Int, of count: Int, in output: String, _ configuration: Configuration) {
        self.candidate = candidate
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, String(count).count - digits.count))
        name = zeros + digits + "-" + candidate.name
        paths = RunPaths(folder: output + "/" + name)
        var configuration = configuration
        configuration.train.filters = candidate.filters
        self.configuration = configuration
    }

    /// mIOU on the validation images after so many epochs; nil where it was not trained so far.
    func score(after epochs: Int) -> Double? {
        let log = optionalContents(of: paths.log) ?? .init()
        return RunRecord.all(in: log).first { $0.epoch == epochs - 1 }?.values["mIOU"]
    }

    /// Trains up to an epoch; what was interrupted goes on.
    ///
    /// - Throws: `RunError` with reason `locked` where another process is at work on it.
    func complete(through epochs: Int, reporter: any ProgressReporter, interruption: Interruption) throws {
        let folder = try RunFolder(at: paths.folder, resume: true)
        defer { withExtendedLifetime(folder) {} }
        // Another process may have done it since.
        if score(after: epochs) != nil { return }
        let training = try Training(
            candidate.genotype, configuration, folder: folder, reporter: reporter, interruption: interruption)
        _ = try training.run(through: epochs)
    }
}
