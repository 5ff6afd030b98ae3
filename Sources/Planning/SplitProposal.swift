import Datasets
import Foundation
import Images
import Segmentation

/// Splits for a data set that lacks some: images that belong together stay together.
///
/// Frames of a video and tiles of an image show nearly the same, so that a network which learnt one has seen its
/// neighbours. What belongs together is told by the names: all that is equal but for the numbers at the end. Where that
/// makes few groups, as for the frames of a few videos, they are cut into runs of neighbours.
public struct SplitProposal: Sendable {
    /// Which split each image is of.
    public let assignment: SplitAssignment
    /// What was done, in words.
    public let note: String
    /// Images by split.
    public let counts: [String: Int]
    /// Parts of the images, each with all others to train on, where they are too few for splits: then all are for
    /// training in the end.
    public let folds: [SplitAssignment]

    /// Images up to which a split says next to nothing, so that each is measured in turn.
    static let fewImages = 20

    /// Share of the images that a missing split gets.
    private static let share = 0.15
    /// Groups from which on whole ones are dealt out.
    private static let enoughGroups = 12

    /// Proposes the splits that are missing, out of the training images; nil where none is.
    ///
    /// - Parameters:
    ///   - dataset: The data set.
    ///   - seed: Decides which images go where.
    ///   - folds: How many parts few images are divided into; 0 for splits even then.
    /// - Throws: `DataError` where there are no labelled images, or too few.
    public init?(_ dataset: Dataset, seed: UInt64, folds: Int = 0) throws {
        func labelled(_ split: Split) -> [Sample] {
            guard dataset.splits.contains(split) else { return [] }
            return ((try? dataset.pairing(split))?.samples ?? []).filter { $0.mask != nil }
        }
        var own = Dictionary(uniqueKeysWithValues: [Split.train, .val, .test].map { ($0, labelled($0)) })
        var missing = [Split.val, .test].filter { own[$0]?.isEmpty ?? true }
        if missing.isEmpty, own[.train]?.isEmpty == false { return nil }
        // A data set whose only split has another name, or that has test images without masks.
        var pool = own[.train] ?? []
        if pool.isEmpty {
            let others = dataset.splits.filter { ![.val, .test].contains($0) }
            pool = others.flatMap(labelled)
        }
        // One of which nothing but the images for measuring is there, as of a large one's sample.
        if pool.isEmpty {
            pool = (own[.val] ?? []) + (own[.test] ?? [])
            (missing, own) = ([.val, .test], [:])
        }
        var seen: Set<String> = []
        pool = pool.filter { seen.insert($0.image).inserted }
        guard pool.count > missing.count else {
            // The error that names what is wrong, where there is one.
            if pool.isEmpty { _ = try dataset.samples(dataset.splits.first ?? .train) }
            throw DataError(
                file: dataset.root,
                problem:
                    "has \(pool.count) labelled images to train on, of which \(missing.count) are needed to measure:"
                    + " label more")
        }
        let paths = pool.map { relative($0.image, to: dataset.root) }
        let groups = Self.groups(of: paths)
        let (units, how) = Self.units(groups)
        var random = RandomStream(seed: seed, 0x5311)
        let order = random.permutation(units.count).map { units[$0] }
        if folds > 1, missing.count == 2, pool.count <= Self.fewImages, units.count > 1 {
            let parts = Self.folds(of: order, count: min(folds, units.count))
            self.folds = parts
            assignment = SplitAssignment(
                Dictionary(uniqueKeysWithValues: paths.map { ($0, Split.train.rawValue) }))
            counts = [Split.train.rawValue: paths.count]
            note =
                "\(dataset.root): has \(paths.count) labelled images and no splits, too few to keep some apart: each is"
                + " measured by a network that was trained without it (\(parts.count)-fold cross-validation, \(how)), and all"
                + " of them train the last one"
            return
        }
        self.folds = []
        var splits: [String: String] = [:]
        for (split, samples) in own where split != .train {
            for sample in samples { splits[relative(sample.image, to: dataset.root)] = split.rawValue }
        }
        var rest = order[...]
        let total = paths.count
        for split in missing {
            // At least one image each, and never the last unit.
            let wanted = max(1, Int(clamping: (Double(total) * Self.share).rounded()))
            var taken = 0
            while taken < wanted, rest.count > 1 {
                guard let unit = rest.popFirst() else { break }
                for path in unit { splits[path] = split.rawValue }
                taken += unit.count
            }
        }
        for path in rest.flatMap({ $0 }) { splits[path] = Split.train.rawValue }
        assignment = SplitAssignment(splits)
        counts = splits.values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        let names = missing.map(\.rawValue).joined(separator: " and ")
        note =
            "\(dataset.root): has no labelled \(names) split: \(missing.count > 1 ? "they are" : "it is") drawn from the"
            + " training images by the seed, \(how)"
    }

    /// Deals units out in turn: each part is once for measuring, the others for training.
    private static func folds(of units: [[String]], count: Int) -> [SplitAssignment] {
        (0..<count).map { fold in
            var splits: [String: String] = [:]
            for (index, unit) in units.enumerated() {
                for path in unit { splits[path] = (index % count == fold ? Split.val : .train).rawValue }
            }
            return SplitAssignment(splits)
        }
    }

    /// Images whose paths are equal but for the numbers at the end of their names, in order.
    static func groups(of paths: [String]) -> [[String]] {
        Dictionary(grouping: paths.sorted(), by: stem).sorted { $0.key < $1.key }.map(\.value)
    }

    /// A path without its extension and the numbers at its end.
    ///
    /// What joins them goes too: `a/drive_0012_x256.png` gives `a/drive`. A name that is nothing but numbers, or letters and digits mixed as in a hash, has none to lose.
    package static func stem(_ path: String) -> String {
        let whole = (path as NSString).deletingPathExtension
        let folder = folderPart(of: whole)
        var name = (whole as NSString).lastPathComponent[...]
        while true {
            let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
            guard digits > 0 else { break }
            var shorter = name.dropLast(digits)
            // The letter of a coordinate or a frame, as in `_x256` and `_f00012`.
            if let letter = shorter.last, letter.isLetter, shorter.dropLast().last.map({ "-_ .".contains($0) }) ?? true
            {
                shorter = shorter.dropLast()
            }
            // Digits in the middle of a word belong to it.
            if let last = shorter.last, !"-_ .".contains(last), digits < 2 || !shorter.allSatisfy(\.isLetter) { break }
            name = shorter.dropLast(shorter.last.map { "-_ .".contains($0) } ?? false ? 1 : 0)
        }
        return folder + "/" + name
    }

    /// What is dealt out: whole groups where there are many, else runs of neighbours within them.
    private static func units(_ groups: [[String]]) -> (units: [[String]], how: String) {
        let total = groups.reduce(0) { $0 + $1.count }
        if groups.count == total { return (groups, "image by image") }
        let largest = groups.map(\.count).max() ?? 0
        if groups.count >= enoughGroups, Double(largest) <= share * Double(total) {
            return (groups, "in \(groups.count) groups of images whose names differ by their last numbers alone")
        }
        // About twenty runs, of which three or so are a split.
        let length = max(1, total / 20)
        let runs = groups.flatMap { group in
            stride(from: 0, to: group.count, by: length).map { Array(group[$0..<min($0 + length, group.count)]) }
        }
        if length == 1 { return (runs, "image by image") }
        return (runs, "in runs of \(length) images that follow one another by name, as the frames of a video do")
    }
}
