import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// The paper's search as the first part of a race, and the networks that it decoded on its way.
///
/// It is a run in a folder of its own below the race's: it stops and goes on by itself, and of several processes the first
/// one does it.
struct SearchedPool: SharedRun {
    private let configuration: Configuration
    private let paths: RunPaths
    private let endsAfter: (Int) throws -> Bool

    static func folder(in output: String) -> String { output + "/" + SearchConfiguration.searched }

    /// A search in the folder of a race, which ends before its last epoch where `endsAfter` says so of one.
    init(
        in output: String, _ configuration: Configuration, endsAfter: @escaping (Int) throws -> Bool = { _ in false }
    ) {
        var configuration = configuration
        configuration.search.method = .paper
        self.configuration = configuration
        self.endsAfter = endsAfter
        paths = RunPaths(folder: SearchedPool.folder(in: output))
    }

    var name: String { SearchConfiguration.searched }

    var isFinished: Bool { (try? boundedContents(of: paths.genotype, limit: 1 << 20)) != nil }

    func complete(reporter: any ProgressReporter, interruption: Interruption) throws {
        let folder = try RunFolder(at: paths.folder, resume: true)
        defer { withExtendedLifetime(folder) {} }
        // Another process may have done it since.
        if isFinished { return }
        reporter.report(.note("searching by the paper's method: \(configuration.search.epochs) epochs"))
        _ = try Search(configuration, folder: folder, reporter: reporter, interruption: interruption)
            .run(endsAfter: endsAfter)
    }

    /// What was decoded after the last epoch, and after three quarters and half of those in which alpha and beta were
    /// trained, each with the number of its epoch; what came out twice is there once.
    func genotypes() throws -> [(epoch: Int, genotype: Genotype)] {
        let search = configuration.search
        let isThere = { (epoch: Int) in FileManager.default.fileExists(atPath: paths.genotype(epoch: epoch)) }
        // It may have been ended before its last epoch.
        let epochs = (1...search.epochs).last(where: isThere) ?? search.epochs
        let trained = epochs - search.architectureFrom
        let last = (epochs, try loadGenotype(paths.genotype))
        let earlier = try [trained * 3 / 4, trained / 2].filter { $0 > 0 && $0 < trained }.map { count in
            let epoch = search.architectureFrom + count
            return (epoch, try loadGenotype(paths.genotype(epoch: epoch)))
        }
        var seen: Set<Genotype> = []
        return ([last] + earlier).filter { seen.insert($0.1).inserted }
    }
}

extension CandidateSearch {
    /// Does the paper's search where the pool asks for what it finds; nothing where that is done.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    ///   - endsAfter: Whether the search ends after so many epochs; see `Search.run(endsAfter:)`.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; the search's error.
    package func searchFirst(
        reporter: any ProgressReporter, interruption: Interruption,
        endsAfter: @escaping (Int) throws -> Bool = { _ in false }
    ) throws {
        guard configuration.search.searchesFirst else { return }
        try complete(
            [SearchedPool(in: output, configuration, endsAfter: endsAfter)], in: output, reporter: reporter,
            interruption: interruption
        ) { if let error = $1 { throw error } }
    }
}
