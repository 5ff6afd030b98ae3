import ArgumentParser
import Configurations
import Dispatch
import Experiments
import Foundation
import Runs
import SearchSpace
import Synchronization
import Torch

/// Runs a search for each of several seeds and a short training of what it finds, each as a process of its own.
///
/// What is finished stands in trials.json; a run of trials that was stopped goes on with the others.
struct TrialRunner {
    let paths: RunPaths
    private let configuration: Configuration
    private let seeds: [Int]
    private let options: RunOptions
    private let isQuiet: Bool
    /// Keeps other processes out for as long as it lives.
    private let folder: RunFolder
    private let table: TrialTable

    init(_ configuration: Configuration, seeds: [Int], epochs: Int, options: RunOptions, isQuiet: Bool) throws {
        self.configuration = configuration
        self.seeds = seeds
        self.options = options
        self.isQuiet = isQuiet
        try configuration.refuseUnusable()
        folder = try RunFolder(at: options.output, resume: options.resume)
        paths = folder.paths
        let stored = try TrialTable(at: paths.trials)
        if let stored, stored.trainEpochs != epochs {
            throw UsageError(
                description:
                    "\(paths.trials): its trials were trained for \(stored.trainEpochs) epochs, not \(epochs): "
                    + "leave --trial-epochs as it was")
        }
        table = stored ?? TrialTable(trainEpochs: epochs)
        var written = configuration
        written.data = configuration.data.withAbsolutePaths()
        try folder.write(written)
    }

    /// - Returns: The table of all trials.
    func run(parallel: Int) throws -> TrialTable {
        let state = Mutex((table: table, next: 0, failure: (any Error)?.none))
        let forwarding = SignalForwarding()
        defer { withExtendedLifetime(forwarding) {} }
        DispatchQueue.concurrentPerform(iterations: min(parallel, seeds.count)) { _ in
            while true {
                let seed = state.withLock { state -> Int? in
                    guard state.failure == nil, state.next < seeds.count else { return nil }
                    defer { state.next += 1 }
                    return seeds[state.next]
                }
                guard let seed else { return }
                do {
                    if state.withLock({ $0.table.trials.contains { $0.seed == seed } }) { continue }
                    if let signal = forwarding.stopSignal { throw ExitCode(128 + signal) }
                    let mIOU = try measure(seed, parallel: parallel, forwarding)
                    try state.withLock { try note(seed, mIOU, &$0.table) }
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        let (table, _, failure) = state.withLock { $0 }
        if let failure { throw failure }
        if let best = table.best {
            let run = paths.trial(seed: best)
            try AtomicFile.write(loadGenotype(run.folder).json(), to: paths.genotype, below: paths.folder)
            try writeReport(ofRun: run.folder, trials: table, to: paths.report)
        }
        return table
    }

    /// Notes a finished trial on the disk, so that it is not run again.
    private func note(_ seed: Int, _ mIOU: Double, _ table: inout TrialTable) throws {
        var genotypes: [Int: Genotype] = [:]
        for seed in table.trials.map(\.seed) + [seed] {
            genotypes[seed] = try loadGenotype(paths.trial(seed: seed).folder)
        }
        let name = URL(fileURLWithPath: paths.trial(seed: seed).folder).lastPathComponent
        table.add(seed: seed, folder: name, mIOU: mIOU, genotypes: genotypes)
        try table.write(to: paths.trials)
    }

    /// Searches and trains; the best validation of the training.
    private func measure(_ seed: Int, parallel: Int, _ forwarding: SignalForwarding) throws -> Double {
        let run = paths.trial(seed: seed)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let threads = configuration.threads > 0 ? configuration.threads : max(1, cores / parallel)
        var common = ["--config", paths.configuration, "--resume", "--seed", "\(seed)"]
        // With a group each process takes its share by itself.
        if options.group.processes == 1 { common += ["--threads", "\(threads)"] }
        common += [
            "--processes", "\(options.group.processes)", "--group-timeout", "\(options.group.groupTimeout)",
        ]
        if isQuiet || parallel > 1 { common.append("--quiet") }
        _ = try output(of: ["search", "--output", run.folder] + common, forwarding)
        let output = try output(
            of: [
                "train", "--genotype", run.genotype, "--output", run.trialTraining, "--json", "--set",
                "train.epochs=\(table.trainEpochs)", "--set", "train.iterations=0",
            ] + common, forwarding)
        guard let result = try? JSONDecoder().decode([String: Double].self, from: output), let mIOU = result["mIOU"]
        else { throw UsageError(description: "seed \(seed): its training told no mIOU") }
        return mIOU
    }

    /// What a process of this program writes to standard output.
    ///
    /// - Throws: The process's exit status, where it is not 0: it has told why.
    private func output(of arguments: [String], _ forwarding: SignalForwarding) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging([StarterWatch.mark: "\(getpid())"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        try forwarding.start(process)
        let data = output.fileHandleForReading.readDataToEndOfFile()
        forwarding.wait(for: process)
        guard process.terminationReason == .exit else {
            throw GroupError("\(arguments.joined(separator: " ")): killed by signal \(process.terminationStatus)")
        }
        guard process.terminationStatus == 0 else { throw ExitCode(process.terminationStatus) }
        return data
    }
}
