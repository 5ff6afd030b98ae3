import Images

/// Reads every file of a data set once and reports what is there and what is wrong.
public struct DatasetCheck: Sendable {
    private let dataset: Dataset
    private let splits: [(split: Split, pairing: Pairing)]
    private let threads: Int
    /// The split that is learnt from, perhaps several joined; nil where there is none.
    private let lessons: Split?
    private let needed: [Split]
    /// Splits of different use, which must not share images.
    private let used: [Split]
    private var problems: [DataError] = []

    /// Lists the files of all splits.
    ///
    /// - Parameters:
    ///   - dataset: the data set.
    ///   - threads: how many files are read at a time.
    ///   - needed: the splits that a training needs, with masks: the one that it learns from, then the one that it is
    ///     measured on. By default `train` where there is one.
    ///   - measured: the split that results are reported on, which need not be there.
    /// - Throws: `DataError` where there are no splits.
    public init(_ dataset: Dataset, threads: Int, needed: [Split]? = nil, measured: Split = .test) throws {
        self.dataset = dataset
        let wanted = needed ?? [.train].filter(dataset.splits.contains)
        lessons = wanted.first
        self.needed = wanted.flatMap(\.parts)
        used = (needed ?? [.train, .val]).flatMap(\.parts) + measured.parts
        self.threads = max(1, threads)
        var splits: [(Split, Pairing)] = []
        for split in dataset.splits {
            do {
                splits.append((split, try dataset.pairing(split)))
            } catch let error as DataError {
                problems.append(error)
            }
        }
        for split in self.needed where !dataset.splits.contains(split) {
            // Lists and years of splits may go by a second name, which is looked at only where it is asked for.
            do {
                _ = try dataset.samples(split)
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
        sample.tile.map { "\(sample.image)|\($0.x)|\($0.y)" } ?? sample.imageFiles.joined(separator: "+")
    }

    /// Reads everything.
    ///
    /// - Parameter advanced: told how many samples are done.
    /// - Returns: what was found; files that cannot be used are among its problems.
    public func run(advanced: (Int) -> Void = { _ in }) -> DatasetReport {
        let samples = samples
        var rangeNotes: [String] = []
        let learntFrom = splits.filter { lessons?.parts.contains($0.split) ?? false }.flatMap(\.pairing.samples)
        let range = dataset.range(of: learntFrom.isEmpty ? samples : learntFrom) { rangeNotes.append($0) }
        let reader = dataset.reader(range: range)
        let reading = OrderedPrefetcher<SampleFacts>(
            first: 0, end: samples.count, workers: threads, depth: 4 * threads, name: "data check"
        ) { SampleFacts(samples[$0], reader: reader) }
        var tally = DatasetTally()
        var found: [String: SampleFacts] = [:]
        for (index, sample) in samples.enumerated() {
            guard let fact = try? reading.next() else { break }
            tally.add(fact)
            found[key(sample)] = fact
            advanced(index + 1)
        }
        var report = DatasetReport(root: dataset.root, layout: dataset.layout)
        report.notes = dataset.classOrigin.map { ["classes: from \($0)"] } ?? []
        // Splits that share a folder note the same.
        var told: Set<String> = []
        report.notes += dataset.notes + splits.flatMap(\.pairing.notes).filter { told.insert($0).inserted }
        let facts = samples.compactMap { sample in found[key(sample)].map { (file: sample.image, facts: $0) } }
        report.notes += rangeNotes + facts.depthNotes(range)
        report.order = splits.map(\.split.rawValue)
        var faults = problems
        var counts = LabelCounts()
        var labelFaults: [LabelCounts.Fault] = []
        for (split, pairing) in splits {
            let facts = pairing.samples.compactMap { found[key($0)] }
            report.splits[split.rawValue] = DatasetReport.SplitReport(pairing, facts)
            let isLearntFrom = lessons?.parts.contains(split) == true
            var own = LabelCounts()
            for sample in pairing.samples {
                let (labels, file) = (found[key(sample)]?.labels ?? [], sample.mask ?? sample.image)
                if isLearntFrom { counts.add(labels, file: file) } else { own.add(labels, file: file) }
            }
            labelFaults += own.faults(split, of: dataset, isLearntFrom: false)
            faults += pairing.problems
            if pairing.samples.isEmpty {
                if pairing.problems.isEmpty { faults.append(pairing.empty(split, root: dataset.root)) }
            } else if let fault = pairing.withoutMasks(split, root: dataset.root) {
                // Many test splits come without masks: only a part of them missing is a fault.
                if needed.contains(split) {
                    faults.append(fault)
                } else {
                    report.notes.append("\(split): no image has a mask")
                }
            } else {
                faults += pairing.unlabelled
            }
        }
        faults += samples.compactMap { found[key($0)]?.problems }.flatMap { $0 }
        let duplicates = Duplicates(splits, used: Set(used)) { found[key($0)]?.hash }
        var doubts = duplicates.across
        report.notes += duplicates.within
        for fault in (lessons.map { counts.faults($0, of: dataset) } ?? []) + labelFaults {
            if fault.kind == .remark {
                report.notes.append(fault.text)
            } else if fault.kind == .mistake {
                doubts.append(DataError(file: dataset.root, problem: fault.text))
            } else {
                faults.append(DataError(file: dataset.root, problem: fault.text))
            }
        }
        tally.finish(&report, dataset: dataset, lessons: counts.masks > 0 ? counts.pixels : nil)
        report.problems =
            faults.map { DatasetReport.Problem(file: $0.file, problem: $0.problem) }
            + doubts.map { DatasetReport.Problem(file: $0.file, problem: $0.problem, stopsTraining: false) }
        report.notes += binaryNote(tally)
        return report
    }

    private func binaryNote(_ tally: DatasetTally) -> [String] {
        guard !dataset.labels.form.isBlackAndWhite, tally.labels[0] > 0, tally.labels[255] > 0,
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
    private var sums: ChannelSums?

    mutating func add(_ fact: SampleFacts) {
        for (label, count) in fact.labels.enumerated() where count > 0 {
            labels[label] += count
            imagesWith[label] += 1
        }
        guard let own = fact.sums else { return }
        if sums == nil { sums = own } else { sums?.add(own) }
    }

    /// Writes the sums' part of a report; of classes without names only those up to the largest label are listed.
    ///
    /// - Parameters:
    ///   - report: what is filled in.
    ///   - dataset: the data set.
    ///   - lessons: pixels of each label in the split that is learnt from, where there is one.
    func finish(_ report: inout DatasetReport, dataset: Dataset, lessons: [Int]? = nil) {
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
        // Where there is a split to learn from, its own counts say so.
        if lessons == nil, !absent.isEmpty {
            let more = absent.count > 8 ? " and \(absent.count - 8) more" : ""
            report.notes.append("no pixel is labelled \(absent.prefix(8).joined(separator: ", "))\(more)")
        }
        let shares = report.classes.indices.map { Double((lessons ?? labels)[$0]) }
        let present = shares.filter { $0 > 0 }.sorted()
        if let median = present.isEmpty ? nil : present[present.count / 2] {
            report.suggestion.classWeights = shares.map { $0 > 0 ? min(max(median / $0, 0.1), 10) : 1 }
                .map { ($0 * 100).rounded() / 100 }
        }
        report.ignoredPixels = labels[Int(Mask.ignored)]
        report.mean = sums?.means ?? []
        report.deviation = sums?.deviations ?? []
    }
}
