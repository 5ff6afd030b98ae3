import Datasets
import Images

/// Which samples hold each class, for drawing samples so that rare classes are seen as often as frequent ones.
public struct ClassBalance: Hashable, Sendable {
    /// The samples of each class that occurs, as indices.
    let holders: [[Int]]

    /// Of the classes of each sample; nil where no sample has a labelled pixel.
    public init?(classesOfSamples: [Set<UInt8>]) {
        var holders: [UInt8: [Int]] = [:]
        for (index, classes) in classesOfSamples.enumerated() {
            for label in classes where label != Mask.ignored { holders[label, default: []].append(index) }
        }
        guard !holders.isEmpty else { return nil }
        self.holders = holders.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Reads all masks of samples, on threads of its own.
    ///
    /// - Parameters:
    ///   - samples: the samples, as the loader will have them.
    ///   - reader: reads their masks.
    ///   - workers: threads.
    ///   - advanced: told how many masks are done.
    /// - Throws: `DataError` with the file that cannot be used, or where no mask has a labelled pixel.
    public init(
        samples: [Sample], reader: SampleReader, workers: Int, advanced: (Int) -> Void = { _ in }
    ) throws {
        let masks = OrderedPrefetcher<Set<UInt8>>(
            first: 0, end: samples.count, workers: workers, depth: 4 * workers, name: "class balance"
        ) { index in
            let mask = try reader.readMask(samples[index])
            var seen = [Bool](repeating: false, count: 256)
            for label in mask.labels { seen[Int(label)] = true }
            return Set((0..<255).filter { seen[$0] }.map { UInt8($0) })
        }
        var classes: [Set<UInt8>] = []
        while let found = try masks.next() {
            classes.append(found)
            advanced(classes.count)
        }
        guard let balance = ClassBalance(classesOfSamples: classes) else {
            throw DataError(
                file: samples.first?.mask ?? "data set", problem: "and all other masks have no labelled pixel")
        }
        self = balance
    }

    /// Draws samples: each time a class, all equally likely, then one of the samples that hold it.
    func draw(_ count: Int, _ random: inout RandomStream) -> [Int] {
        (0..<count).map { _ in
            let samples = holders[random.below(holders.count)]
            return samples[random.below(samples.count)]
        }
    }
}
