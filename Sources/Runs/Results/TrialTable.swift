import Foundation
import SearchSpace
import Torch

/// Several searches that differ in their seed alone, each measured by a short training: trials.json.
package struct TrialTable: Codable, Equatable, Sendable {
    /// One search.
    package struct Trial: Codable, Equatable, Sendable {
        /// Its seed.
        package var seed: Int
        /// Its run's folder, within that of all trials.
        package var folder: String
        /// The best validation of its short training.
        package var mIOU: Double
        /// The strides of its path.
        package var path: [Int]
    }

    /// Epochs of the short trainings.
    package var trainEpochs: Int
    /// The trials that are finished, by seed.
    package var trials: [Trial] = []
    /// The seed of the best; nil while there is none.
    package private(set) var best: Int?
    /// Mean of the trials' mIOU.
    package private(set) var mean: Double?
    /// Their standard deviation; nil for less than two.
    package private(set) var deviation: Double?
    /// Probability that two trials have the same stride at a layer; nil for less than two.
    package private(set) var pathAgreement: Double?
    /// Probability that a branch of one trial's cell, its operator with its input, stands in the same block of
    /// another's.
    package private(set) var cellAgreement: Double?

    /// A table without a trial yet.
    package init(trainEpochs: Int) {
        self.trainEpochs = trainEpochs
    }

    /// Adds a finished trial.
    ///
    /// - Parameters:
    ///   - seed: Its seed.
    ///   - folder: Its run's folder, within that of all trials.
    ///   - mIOU: The best validation of its short training.
    ///   - genotypes: Those of all trials with this one, by seed.
    package mutating func add(seed: Int, folder: String, mIOU: Double, genotypes: [Int: Genotype]) {
        let path = genotypes[seed]?.path.map(\.rawValue) ?? []
        trials.removeAll { $0.seed == seed }
        trials.append(Trial(seed: seed, folder: folder, mIOU: mIOU, path: path))
        trials.sort { $0.seed < $1.seed }
        best = trials.max { $0.mIOU < $1.mIOU }?.seed
        let values = trials.map(\.mIOU)
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
        let found = trials.compactMap { genotypes[$0.seed] }
        pathAgreement = TrialTable.pathAgreement(found.map(\.path))
        cellAgreement = TrialTable.cellAgreement(found.map(\.cell))
    }

    /// How often two of these paths have the same stride at a layer; nil for less than two.
    package static func pathAgreement(_ paths: [[Stride]]) -> Double? {
        mean(ofPairs: paths) { one, other in
            Double(zip(one, other).count { $0 == $1 }) / Double(max(one.count, other.count, 1))
        }
    }

    /// How many branches of a block two of these cells share, of two; nil for less than two cells.
    package static func cellAgreement(_ cells: [Cell]) -> Double? {
        mean(ofPairs: cells) { one, other in
            let shares = zip(one.blocks, other.blocks).map { block, second in
                var left = second.branches
                return Double(
                    block.branches.count { branch in
                        guard let place = left.firstIndex(of: branch) else { return false }
                        left.remove(at: place)
                        return true
                    }) / Double(max(block.branches.count, 1))
            }
            return shares.reduce(0, +) / Double(max(one.blocks.count, other.blocks.count, 1))
        }
    }

    private static func mean<Value>(ofPairs values: [Value], _ agreement: (Value, Value) -> Double) -> Double? {
        guard values.count > 1 else { return nil }
        let pairs = values.indices.flatMap { first in
            values[(first + 1)...].map { agreement(values[first], $0) }
        }
        return pairs.reduce(0, +) / Double(pairs.count)
    }

    /// The table for people.
    package var lines: [String] {
        var lines = trials.map { trial in
            String(format: "seed %d: val mIOU %.4f, path ", trial.seed, trial.mIOU)
                + trial.path.map(String.init).joined(separator: " ") + (trial.seed == best ? "  (best)" : "")
        }
        lines.append(summary)
        return lines
    }

    /// Mean, spread and agreement in one line.
    package var summary: String {
        var parts: [String] = []
        if let mean {
            parts.append(
                String(format: "mean val mIOU %.4f", mean) + (deviation.map { String(format: " ± %.4f", $0) } ?? ""))
        }
        if let pathAgreement { parts.append(String(format: "paths agree at %.0f%% of layers", 100 * pathAgreement)) }
        if let cellAgreement {
            parts.append(String(format: "cells agree in %.0f%% of branches", 100 * cellAgreement))
        }
        return parts.joined(separator: ", ")
    }

    /// Reads a table that is there.
    ///
    /// - Returns: Nil where there is none.
    /// - Throws: ``RunError`` where the file is damaged.
    package init?(at path: String) throws(RunError) {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard
            let table = try? JSONDecoder().decode(TrialTable.self, from: try boundedContents(of: path, limit: 1 << 24))
        else { throw RunError(.damaged, path: path, "is no table of trials: put a copy back, or remove it") }
        self = table
    }

    /// Writes the table into a run's folder.
    ///
    /// - Throws: `FileError` where the file cannot be written.
    package func write(to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: path, below: folder)
    }
}
