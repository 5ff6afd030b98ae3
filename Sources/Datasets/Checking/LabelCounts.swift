import Images

/// Pixels of each label in the masks of a split, and what is wrong with them as lessons.
public struct LabelCounts: Sendable {
    /// The share of ignored pixels from which a split is likely to be misread.
    private static let largestIgnoredShare = 0.5
    /// Masks after which a share is known well enough where all classes have been seen.
    private static let enough = 1_000
    /// The share of masks of 0 and 255 alone from which these are hardly images of the first class with a border.
    private static let largestWhiteShare = 0.1

    /// Pixels of each label.
    public private(set) var pixels = [Int](repeating: 0, count: 256)
    /// How many masks were counted.
    public private(set) var masks = 0
    /// How many hold the first class and 255 alone, as masks do that were made to be looked at; and the first of them.
    private var white: (masks: Int, first: String) = (0, "")
    /// Whether a mask holds 255 beside another class, which is then the ignored label.
    private var hasBorders = false

    init() {}

    /// Reads the masks of samples, on threads of its own, until every class has been seen and a thousand masks tell
    /// the share of ignored pixels: all of them where they are fewer, or where a class is missing.
    ///
    /// - Parameters:
    ///   - samples: the samples, which must have masks.
    ///   - dataset: their data set.
    ///   - threads: how many masks are read at a time.
    ///   - advanced: told how many masks are done.
    /// - Throws: `DataError` with the first mask that cannot be used.
    public init(of samples: [Sample], in dataset: Dataset, threads: Int, advanced: (Int) -> Void = { _ in }) throws {
        let reader = dataset.reader()
        let counts = OrderedPrefetcher<[Int]>(
            first: 0, end: samples.count, workers: max(1, threads), depth: 2 * max(1, threads), name: "label counts"
        ) { Self.count(try reader.readMask(samples[$0])) }
        defer { counts.stop() }
        while let found = try counts.next() {
            add(found, file: samples[masks].mask ?? samples[masks].image)
            advanced(masks)
            if masks >= Self.enough, pixels.prefix(dataset.classes.count).allSatisfy({ $0 > 0 }) { break }
        }
    }

    /// Pixels of each label in one mask.
    static func count(_ mask: Mask) -> [Int] {
        var result = [Int](repeating: 0, count: 256)
        mask.labels.withUnsafeBufferPointer { for label in $0 { result[Int(label)] += 1 } }
        return result
    }

    /// Adds the counts of a mask's file.
    mutating func add(_ counts: [Int], file: String) {
        guard counts.count == pixels.count else { return }
        masks += 1
        if counts[Int(Mask.ignored)] > 0 {
            if counts[1..<Int(Mask.ignored)].contains(where: { $0 > 0 }) {
                hasBorders = true
            } else if counts[0] > 0 {
                white = (white.masks + 1, white.masks == 0 ? file : white.first)
            }
        }
        for (label, count) in counts.enumerated() where count > 0 { pixels[label] += count }
    }

    /// What is wrong with the masks of a split; the first is that nothing is labelled at all.
    ///
    /// - Parameters:
    ///   - split: the split's name, for the texts.
    ///   - dataset: its data set.
    ///   - isLearntFrom: whether a network shall learn from it, so that it must show every class.
    /// - Returns: the faults, none where all is well.
    public func faults(_ split: Split, of dataset: Dataset, isLearntFrom: Bool = true) -> [Fault] {
        let ignored = pixels[Int(Mask.ignored)]
        let total = pixels.reduce(0, +)
        guard total > 0 else { return [] }
        guard total > ignored else {
            return [
                Fault(
                    // Known layouts have splits whose labels are kept secret.
                    kind: isLearntFrom || dataset.meaning.form != .auto ? .nothingLabelled : .remark,
                    text: "no pixel of the \(masks) masks of the split `\(split)` is labelled, all are ignored:"
                        + " see what the values in the masks mean (data.masks, data.labels)")
            ]
        }
        var faults: [Fault] = []
        let names = dataset.namesClasses ? dataset.classes.names : []
        if names.count == 1, isLearntFrom {
            faults.append(
                Fault(
                    kind: .mistake,
                    text:
                        "there is one class alone, `\(names[0])`, and nothing to tell it from: name two, as background"
                        + " and \(names[0])"))
        }
        let absent = names.indices.filter { pixels[$0] == 0 }.map { names[$0] }
        let share = Double(ignored) / Double(total)
        let percent = "\(Int(clamping: (100 * share).rounded())) % of the pixels are ignored"
        if !absent.isEmpty, isLearntFrom || dataset.hasOwnClasses {
            let more = absent.count > 8 ? " and \(absent.count - 8) more" : ""
            let isFault = dataset.hasOwnClasses && isLearntFrom
            let remedy = isFault ? ": correct the classes, or what the values mean" : ""
            faults.append(
                Fault(
                    kind: isFault ? .mistake : .remark,
                    text:
                        "no pixel of the split `\(split)` is labelled \(absent.prefix(8).joined(separator: ", "))\(more)"
                        + (ignored > 0 ? " (\(percent))" : "") + remedy))
        }
        if share > Self.largestIgnoredShare {
            // Naming values to ignore, or taking a known layout, means that many pixels are expected to be ignored.
            let isMeant = !dataset.meaning.ignore.isEmpty || dataset.meaning.form == .auto
            faults.append(
                Fault(
                    kind: isMeant ? .remark : .mistake,
                    text: "\(percent) in the split `\(split)`: if they are of a class, see data.masks and data.labels;"
                        + " if they are meant, set data.labels.ignore to [255]"))
        }
        // The other faults already say what is ignored.
        if !faults.contains(where: { $0.kind == .mistake }) { faults += whiteFaults(split, of: dataset) }
        // Whether the list of classes is the user's own or not: there is nothing to learn.
        if isLearntFrom, names.count > 1, names.count - absent.count == 1,
            let only = names.indices.first(where: { pixels[$0] > 0 }), !faults.contains(where: { $0.kind == .mistake })
        {
            faults.append(
                Fault(
                    kind: .mistake,
                    text:
                        "all labelled pixels of the split `\(split)` are `\(names[only])`, and there is nothing to tell"
                        + " it from: annotate the others, correct the classes, or what the values mean"))
        }
        return faults
    }

    /// Masks of 0 and 255 alone where no other mask of the split has 255: beside masks of indices they are easily of
    /// another making, and their 255 is a class.
    private func whiteFaults(_ split: Split, of dataset: Dataset) -> [Fault] {
        let meaning = dataset.meaning
        // Where the configuration or the layout says what 255 means, nothing is left open.
        let isOpen = meaning.form == .indices && meaning.ignore.isEmpty && !meaning.map.values.contains(255)
        guard isOpen, dataset.classes.count > 1, white.masks > 0, !hasBorders else { return [] }
        let showsClasses = pixels[1..<Int(Mask.ignored)].contains { $0 > 0 }
        let isMost = !showsClasses || Double(white.masks) > Self.largestWhiteShare * Double(masks)
        return [
            Fault(
                kind: isMost ? .mistake : .remark,
                text: "\(white.masks) of the \(masks) masks of the split `\(split)` hold 0 and 255 alone (the first:"
                    + " \(white.first)), and 255 is ignored: if it is a class there, write them anew with the class's"
                    + " index; if it is meant to be ignored, set data.labels.ignore to [255]")
        ]
    }

    /// Something wrong with a split's labels.
    public struct Fault: Hashable, Sendable {
        /// How bad it is.
        public enum Kind: Hashable, Sendable {
            /// Nothing can be learnt.
            case nothingLabelled
            /// Probably the labels, or the classes, are misread.
            case mistake
            /// It may be so.
            case remark
        }

        /// How bad it is.
        public let kind: Kind
        /// What is wrong and what to do.
        public let text: String
    }
}
