import Foundation
import Torch

/// What networks came to under one budget: compare.json.
public struct ComparisonSummary: Codable, Equatable, Sendable {
    /// A network's training and evaluation under one seed.
    public struct Run: Codable, Equatable, Sendable {
        /// The seed.
        public var seed: Int
        /// The run's folder within the comparison's.
        public var folder: String
        /// Mean IOU on the comparison's split; nil where it is not measured yet.
        public var mIOU: Double?
        /// The best validation's mean IOU.
        public var validationMIOU: Double?
        /// Seconds of one image through the network alone: the median of some.
        public var secondsPerImage: Double?
        /// Processor threads that the seconds hold for.
        public var threads: Int?
        /// Why the run failed.
        public var error: String?

        package init(
            seed: Int, folder: String, mIOU: Double?, validationMIOU: Double?, secondsPerImage: Double?, threads: Int?
        ) {
            self.seed = seed
            self.folder = folder
            self.mIOU = mIOU
            self.validationMIOU = validationMIOU
            self.secondsPerImage = secondsPerImage
            self.threads = threads
        }
    }

    /// A network's part.
    public struct Network: Codable, Equatable, Sendable {
        /// Its name.
        public var name: String
        /// What was typed for it.
        public var genotype: String
        /// The filter multiplier that it was trained with.
        public var filters: Int
        /// Parameters.
        public var parameters: Int
        /// Multiply-adds for one image at scale 1.
        public var multiplyAdds: Int
        /// Multiply-adds divided by those of the first network.
        public var relativeMultiplyAdds: Double
        /// Mean over the seeds that are measured; nil where none is.
        public var mIOU: Double?
        /// Standard deviation over the seeds (with n - 1); nil below two.
        public var spread: Double?
        /// Median over the seeds.
        public var secondsPerImage: Double?
        /// Milliseconds for an image by the table of latencies; nil where they had no limit.
        public var predictedMilliseconds: Double?
        /// Seed by seed.
        public var runs: [Run]

        package init(
            name: String, genotype: String, filters: Int, parameters: Int, multiplyAdds: Int,
            relativeMultiplyAdds: Double, mIOU: Double?, spread: Double?, secondsPerImage: Double?,
            predictedMilliseconds: Double? = nil, runs: [Run]
        ) {
            self.name = name
            self.genotype = genotype
            self.filters = filters
            self.parameters = parameters
            self.multiplyAdds = multiplyAdds
            self.relativeMultiplyAdds = relativeMultiplyAdds
            self.mIOU = mIOU
            self.spread = spread
            self.secondsPerImage = secondsPerImage
            self.predictedMilliseconds = predictedMilliseconds
            self.runs = runs
        }
    }

    /// The split that was measured.
    public var split: String
    /// Height and width of the maps that costs and seconds are counted for.
    public var size: [Int]
    /// The seeds of every network.
    public var seeds: [Int]
    /// The settings of the evaluation.
    public var evaluation: [String: String]
    /// The networks in the order in which they were given.
    public var networks: [Network]

    package init(split: String, size: [Int], seeds: [Int], evaluation: [String: String], networks: [Network]) {
        self.split = split
        self.size = size
        self.seeds = seeds
        self.evaluation = evaluation
        self.networks = networks
    }

    /// Every run that failed, as lines.
    public var failures: [String] {
        networks.flatMap { network in
            network.runs.compactMap { run in run.error.map { "\(network.name), seed \(run.seed): \($0)" } }
        }
    }

    /// compare.json's bytes.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// Writes compare.json, compare.csv and compare.md.
    ///
    /// - Throws: `FileError` where the folder cannot be written.
    package func write(to folder: String) throws {
        try AtomicFile.write(try json(), to: RunPaths(folder: folder).comparison, below: folder)
        try AtomicFile.write(Data(csv.utf8), to: folder + "/compare.csv", below: folder)
        try AtomicFile.write(Data(markdown.utf8), to: folder + "/compare.md", below: folder)
    }
}
