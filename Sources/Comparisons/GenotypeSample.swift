import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Segmentation
import Torch

/// Random genotypes to set a searched one against, of any cost or of a wanted one.
package struct GenotypeSample: Sendable {
    /// A genotype with what it costs.
    package struct Item: Equatable, Sendable {
        /// The genotype.
        package var genotype: Genotype
        /// The filter multiplier that the cost is counted for.
        package var filters: Int
        /// The cost.
        package var cost: Cost
        /// Milliseconds for an image; nil where they have no limit.
        package var milliseconds: Double?
    }

    /// The cost that is wanted.
    package struct Wanted: Equatable, Sendable {
        /// The least and the most multiply-adds.
        package var multiplyAdds: ClosedRange<Double>
        /// Whether each genotype may have filters of its own, those that come closest to the middle of the range.
        package var anyFilters: Bool

        /// A wanted cost.
        package init(multiplyAdds: ClosedRange<Double>, anyFilters: Bool = false) {
            self.multiplyAdds = multiplyAdds
            self.anyFilters = anyFilters
        }
    }

    private let sampler: GenotypeSampler
    private let train: TrainConfiguration
    private let images: InputSpecification
    private let wanted: Wanted?
    private let limits: CostLimits?

    /// A sample from a space, priced under a configuration.
    ///
    /// - Parameters:
    ///   - sampler: The space.
    ///   - train: Filters and widths of the networks.
    ///   - images: Classes, and the size of the images that costs are counted for.
    ///   - wanted: The cost; nil takes genotypes of any.
    ///   - limits: What no genotype may cost more than.
    package init(
        _ sampler: GenotypeSampler, _ train: TrainConfiguration, on images: InputSpecification, wanted: Wanted?,
        limits: CostLimits? = nil
    ) {
        self.sampler = sampler
        self.train = train
        self.images = images
        self.wanted = wanted
        self.limits = limits
    }

    /// Draws different genotypes, the same for the same seed; those of another cost are drawn again.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - seed: The seed.
    /// - Returns: The genotypes in the order in which they were drawn.
    /// - Throws: `SearchSpaceError` where many in a row are of another cost, or are there already; an error about the table
    ///   of latencies.
    package func draw(count: Int, seed: Int) throws -> [Item] {
        var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)))
        var seen: Set<Genotype> = []
        var items: [Item] = []
        var misses = 0
        var (least, most) = (Double.infinity, -Double.infinity)
        // With filters of its own nearly every genotype comes close, and each try takes a thousand counts.
        let patience = wanted?.anyFilters == true || limits?.latency != nil ? 200 : 20_000
        var excess: String?
        while items.count < count {
            var item = priced(sampler.genotype { stream.next() })
            let multiplyAdds = Double(item.cost.multiplyAdds)
            let isWanted = wanted.map { $0.multiplyAdds.contains(multiplyAdds) } ?? true
            if !isWanted {
                (least, most) = (min(least, multiplyAdds), max(most, multiplyAdds))
            } else if !seen.contains(item.genotype) {
                let judgement = try limits?.judge(.genotype(item.genotype), filters: item.filters)
                item.milliseconds = judgement?.milliseconds
                if let first = judgement?.excess.first {
                    excess = first
                } else {
                    seen.insert(item.genotype)
                    items.append(item)
                    misses = 0
                    continue
                }
            }
            misses += 1
            guard misses < patience else {
                if let excess { throw overLimit(items.count, count, patience, excess) }
                throw exhausted(items.count, count, patience, least...max(least, most))
            }
        }
        return items
    }

    /// Writes genotypes as `random-1.json` and so on, the numbers of one width.
    ///
    /// - Parameters:
    ///   - items: The genotypes.
    ///   - folder: A folder that is made where it is missing, and refused where it holds something.
    /// - Returns: The files' paths.
    /// - Throws: `RunError` or `FileError` where the folder cannot be used.
    package static func write(_ items: [Item], to folder: String) throws -> [String] {
        try write(items.map { $0.genotype.json() }, to: folder)
    }

    /// The same for genotype files of either kind.
    package static func write(_ files: [Data], to folder: String) throws -> [String] {
        try requireEmptyFolder(folder)
        try RunFolder.makeFolder(folder)
        let digits = String(files.count).count
        return try files.enumerated().map { index, file in
            let path = folder + "/random-" + RunPaths.numeral(index + 1, digits: digits) + ".json"
            try AtomicFile.write(file, to: path)
            return path
        }
    }

    /// - Parameter genotype: A genotype that passes `validate()`.
    /// - Returns: It with its filters and cost; nil where that is not the wanted one, or over a limit.
    /// - Throws: An error about the table of latencies.
    package func item(_ genotype: Genotype) throws -> Item? {
        var item = priced(genotype)
        guard wanted.map({ $0.multiplyAdds.contains(Double(item.cost.multiplyAdds)) }) ?? true else { return nil }
        let judgement = try limits?.judge(.genotype(genotype), filters: item.filters)
        item.milliseconds = judgement?.milliseconds
        return judgement?.excess.isEmpty ?? true ? item : nil
    }

    private func priced(_ genotype: Genotype) -> Item {
        guard let wanted, wanted.anyFilters else {
            return Item(genotype: genotype, filters: train.filters, cost: train.cost(of: genotype, on: images))
        }
        let middle = (wanted.multiplyAdds.lowerBound + wanted.multiplyAdds.upperBound) / 2
        let best = train.filters(of: genotype, closestTo: Int(clamping: min(middle, 0x1p62)), on: images)
        return Item(genotype: genotype, filters: best.filters, cost: best.cost)
    }

    private func overLimit(_ found: Int, _ count: Int, _ tries: Int, _ excess: String) -> SearchSpaceError {
        SearchSpaceError(
            problem:
                "only \(found) of \(count) genotypes found: of the last \(tries) none was new and within the limits"
                + " (one has \(excess)); raise the limit, or take fewer filters, layers or blocks")
    }

    private func exhausted(_ found: Int, _ count: Int, _ tries: Int, _ seen: ClosedRange<Double>) -> SearchSpaceError {
        guard let wanted, seen.lowerBound.isFinite else {
            return SearchSpaceError(
                problem: "only \(found) of \(count) genotypes found: the last \(tries) were all there already; ask for "
                    + "fewer, or for more layers or blocks")
        }
        func billion(_ range: ClosedRange<Double>) -> String {
            "\(readable(range.lowerBound)) to \(readable(range.upperBound))"
        }
        return SearchSpaceError(
            problem: "only \(found) of \(count) genotypes found: none of the last \(tries) has "
                + "\(billion(wanted.multiplyAdds)) multiply-adds (they have \(billion(seen))); widen the range"
                + (wanted.anyFilters ? "" : ", or let each have its own filters"))
    }

    private func readable(_ value: Double) -> String { String(format: "%.4g", value) }
}
