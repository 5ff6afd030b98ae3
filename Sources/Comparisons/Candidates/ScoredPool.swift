import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// The best of many random networks by a score that costs little, kept in a file: scoring again could order them otherwise.
struct ScoredPool {
    /// A network with its score.
    private struct Entry: Codable {
        var genotype: String
        var filters: Int
        var loss: Double
    }

    /// The networks, the best first.
    let candidates: [Candidate]

    static func file(in folder: String) -> String { folder + "/scored.json" }

    /// Reads the file, or draws and scores, and writes it.
    ///
    /// - Parameters:
    ///   - folder: The search's folder.
    ///   - sample: What is drawn from.
    ///   - seed: The seed.
    ///   - count: How many are drawn.
    ///   - reporter: Is told how far it is.
    ///   - interruption: Asks to stop.
    ///   - score: Makes what scores; lower is better.
    /// - Throws: `Interrupted`; an error about the file, the space, or of the scorer.
    init(
        in folder: String, from sample: GenotypeSample, seed: Int, count: Int, reporter: any ProgressReporter,
        interruption: Interruption, score: () throws -> (Genotype) throws -> Double
    ) throws {
        let path = ScoredPool.file(in: folder)
        let isKnown = FileManager.default.fileExists(atPath: path)
        // Drawn before the lock is taken, which the times of operations take for themselves.
        let items = isKnown ? [] : try sample.draw(count: count, seed: seed)
        // Processes that share the folder go by one list: the first makes it.
        let lock = try FolderLock.waiting(for: folder) {
            if let signal = interruption.signal { throw Interrupted(signal: signal, comparison: folder) }
        }
        defer { withExtendedLifetime(lock) {} }
        if !FileManager.default.fileExists(atPath: path) {
            let entries = try ScoredPool.scored(items, by: score(), in: folder, reporter, interruption)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try AtomicFile.write(try encoder.encode(entries) + Data("\n".utf8), to: path, below: folder)
        }
        let bytes = try boundedContents(of: path, limit: 1 << 26)
        guard let entries = try? JSONDecoder().decode([Entry].self, from: bytes),
            entries.allSatisfy({ (1...Cost.maximumFilters).contains($0.filters) })
        else { throw RunError(.damaged, path: path, "is no list of scored networks: begin the search anew") }
        candidates = try entries.enumerated().map { index, entry in
            Candidate(
                name: "scored-\(index + 1)", .genotype(try Genotype(json: Data(entry.genotype.utf8), source: path)),
                filters: entry.filters)
        }
    }

    private static func scored(
        _ items: [GenotypeSample.Item], by score: (Genotype) throws -> Double, in folder: String,
        _ reporter: any ProgressReporter, _ interruption: Interruption
    ) throws -> [Entry] {
        reporter.report(.note("scoring \(items.count) networks in the supernet"))
        let entries = try items.map { item in
            if let signal = interruption.signal { throw Interrupted(signal: signal, comparison: folder) }
            return Entry(
                genotype: String(decoding: item.genotype.json(), as: UTF8.self), filters: item.filters,
                // JSON has no infinity.
                loss: min(try score(item.genotype), 1e300))
        }
        return entries.enumerated().sorted { ($0.element.loss, $0.offset) < ($1.element.loss, $1.offset) }
            .map(\.element)
    }
}
