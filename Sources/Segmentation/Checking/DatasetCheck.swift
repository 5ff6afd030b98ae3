/// Reads every file of a data set once and reports what is there and what is wrong.
public struct DatasetCheck: Sendable {
    private let dataset: Dataset
    private let splits: [(split: Split, pairing: Pairing)]
    private let threads: Int
    private var problems: [DataError] = []

    /// Lists the files of all splits.
    ///
    /// - Parameters:
    ///   - dataset: the data set.
    ///   - threads: how many files are read at a time.
    /// - Throws: `DataError` where there are no splits.
    public init(_ dataset: Dataset, threads: Int) throws {
        self.dataset = dataset
        self.threads = max(1, threads)
        var splits: [(Split, Pairing)] = []
        for split in dataset.splits {
            do {
                splits.append((split, try dataset.pairing(split)))
            } catch let error as DataError {
                problems.append(error)
            }
        }
        guard !splits.isEmpty || !problems.isEmpty else {
            throw DataError(.missing, file: dataset.root, problem: "has no images in any split")
        }
        self.splits = splits
    }

    /// How many samples there are to read.
    public var count: Int { samples.count }

    /// Every sample once: lists of VOC and others name the same files several times.
    private var samples: [Sample] {
        var seen: Set<String> = []
        return splits.flatMap(\.pairing.samples).filter { seen.insert(key($0)).inserted }
    }

    private func key(_ sample: Sample) -> String {
        sample.tile.map { "\(sample.image)|\($0.x)|\($0.y)" } ?? sample.image
    }

    /// Reads everything.
    ///
    /// - Parameter advanced: told how many samples are done.
    /// - Returns: what was found; files that cannot be used are among its problems.
    public func run(advanced: (Int) -> Void = { _ in }) -> DatasetReport {
        let samples = samples
        let reader = dataset.reader()
        let facts = OrderedPrefetcher<SampleFacts>(
            first: 0, end: samples.count, workers: threads, depth: 4 * threads, name: "data check"
        ) { SampleFacts(samples[$0], reader: reader) }
        var tally = DatasetTally()
        var found: [String: SampleFacts] = [:]
        for (index, sample) in samples.enumerated() {
            guard let fact = try? facts.next() else { break }
            tally.add(fact)
            found[key(sample)] = fact
            advanced(index + 1)
        }
        var report = DatasetReport(root: dataset.root, layout: dataset.layout)
        report.notes = dataset.notes + splits.flatMap(\.pairing.notes)
        report.order = splits.map(\.split.rawValue)
        var faults = problems
        for (split, pairing) in splits {
            let facts = pairing.samples.compactMap { found[key($0)] }
            report.splits[split.rawValue] = DatasetReport.SplitReport(pairing, facts)
            faults += pairing.problems
            // Many test splits come without masks: only a part of them missing is a fault.
            if pairing.unlabelled.count < pairing.samples.count {
                faults += pairing.unlabelled
            } else if !pairing.samples.isEmpty {
                report.notes.append("\(split): no image has a mask")
            }
        }
        faults += samples.compactMap { found[key($0)]?.problems }.flatMap { $0 }
        let duplicates = duplicates(found)
        faults += duplicates.across
        report.notes += duplicates.within
        tally.finish(&report, dataset: dataset)
        report.problems = faults.map { DatasetReport.Problem(file: $0.file, problem: $0.problem) }
        report.notes += binaryNote(tally)
        return report
    }

    /// Images whose pixels are equal: a fault where they lie in different splits, else worth a note.
    private func duplicates(_ found: [String: SampleFacts]) -> (across: [DataError], within: [String]) {
        var first: [UInt64: (sample: Sample, split: Split)] = [:]
        var across: [DataError] = []
        var within: [Split: Int] = [:]
        for (split, pairing) in splits {
            for sample in pairing.samples where sample.tile == nil {
                guard let fact = found[key(sample)], fact.hash != 0 else { continue }
                guard let other = first[fact.hash] else {
                    first[fact.hash] = (sample, split)
                    continue
                }
                if other.split == split {
                    within[split, default: 0] += 1
                } else if other.sample.image != sample.image {
                    across.append(
                        DataError(
                            file: sample.image,
                            problem: "(\(split)) shows the same as \(other.sample.image) (\(other.split)): figures on"
                                + " one split would tell about the other; remove one of them"))
                }
            }
        }
        let notes = within.sorted { $0.key.rawValue < $1.key.rawValue }.map { split, count in
            "\(split): \(count) images show the same as another one of this split"
        }
        return (across, notes)
    }

    private func binaryNote(_ tally: DatasetTally) -> [String] {
        guard dataset.labels.form == .auto, tally.labels[0] > 0, tally.labels[255] > 0,
            tally.labels[1..<255].allSatisfy({ $0 == 0 })
        else { return [] }
        return [
            "the masks hold 0 and 255 alone: if 255 is a class and not ignored, set data.masks to binary and name two"
                + " classes"
        ]
    }
}

extension DatasetReport.SplitReport {
    fileprivate init(_ pairing: Pairing, _ facts: [SampleFacts]) {
        images = pairing.samples.count
        unlabelled = pairing.samples.filter { $0.mask == nil }.count
        let readable = facts.filter { $0.width > 0 }
        let sizes = readable.map { [$0.width, $0.height] }
        let byArea = sizes.sorted { ($0[0] * $0[1], $0[0]) < ($1[0] * $1[1], $1[0]) }
        smallest = byArea.first ?? []
        largest = byArea.last ?? []
        self.sizes = Set(sizes).count
        let (widths, heights) = (sizes.map { $0[0] }.sorted(), sizes.map { $0[1] }.sorted())
        if !sizes.isEmpty { median = [widths[widths.count / 2], heights[heights.count / 2]] }
        for fact in readable { channels["\(fact.channels)", default: 0] += 1 }
    }
}

/// Sums over all samples.
struct DatasetTally {
    /// Pixels of each label.
    private(set) var labels = [Int](repeating: 0, count: 256)
    private var imagesWith = [Int](repeating: 0, count: 256)
    private var pixels = 0
    private var sums = [0.0, 0.0, 0.0]
    private var squares = [0.0, 0.0, 0.0]

    mutating func add(_ fact: SampleFacts) {
        for (label, count) in fact.labels.enumerated() where count > 0 {
            labels[label] += count
            imagesWith[label] += 1
        }
        pixels += fact.width * fact.height
        for channel in 0..<3 {
            sums[channel] += Double(fact.sums[channel])
            squares[channel] += Double(fact.squares[channel])
        }
    }

    /// Writes the sums' part of a report; of classes without names only those up to the largest label are listed.
    func finish(_ report: inout DatasetReport, dataset: Dataset) {
        var names = dataset.classes.names
        if !dataset.namesClasses {
            let last = labels.dropLast().lastIndex { $0 > 0 } ?? 0
            names = Array(names.prefix(last + 1))
            report.notes.append(
                "no class names: labels are shown by number; write classes.txt, or name them by data.classes")
        }
        report.classes = names.enumerated().map { label, name in
            DatasetReport.ClassReport(name: name, pixels: labels[label], images: imagesWith[label])
        }
        let absent = report.classes.filter { $0.pixels == 0 }.map(\.name)
        if !absent.isEmpty {
            let more = absent.count > 8 ? " and \(absent.count - 8) more" : ""
            report.notes.append("no pixel is labelled \(absent.prefix(8).joined(separator: ", "))\(more)")
        }
        let shares = report.classes.map { Double($0.pixels) }
        let present = shares.filter { $0 > 0 }.sorted()
        if let median = present.isEmpty ? nil : present[present.count / 2] {
            report.suggestion.classWeights = shares.map { $0 > 0 ? min(max(median / $0, 0.1), 10) : 1 }
                .map { ($0 * 100).rounded() / 100 }
        }
        report.ignoredPixels = labels[Int(Mask.ignored)]
        guard pixels > 0 else { return }
        report.mean = sums.map { $0 / Double(pixels) }
        report.deviation = zip(squares, report.mean).map { max(0, $0 / Double(pixels) - $1 * $1).squareRoot() }
    }
}
