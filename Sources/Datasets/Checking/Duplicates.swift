import Images

/// Images that come twice: in splits that tell about each other, or within one.
struct Duplicates {
    /// A fault for each image of one split that is in another one too, as the same file or under another name.
    private(set) var across: [DataError] = []
    /// A line for each split with equal images.
    private(set) var within: [String] = []

    /// - Parameters:
    ///   - splits: all that there are.
    ///   - used: the splits that are learnt from, chosen by and reported on.
    ///   - hash: a number that equal images share; nil or 0 for those that cannot be read.
    init(_ splits: [(split: Split, pairing: Pairing)], used: Set<Split>, hash: (Sample) -> UInt64?) {
        findShared(splits, used)
        findEqual(splits, hash)
    }

    /// The same file in splits of different use; other lists, as VOC's `trainval`, join them on purpose.
    private mutating func findShared(_ splits: [(split: Split, pairing: Pairing)], _ used: Set<Split>) {
        var first: [String: Split] = [:]
        for (split, pairing) in splits where used.contains(split) {
            for image in Set(pairing.samples.map(\.image)).sorted() {
                guard let other = first[image] else {
                    first[image] = split
                    continue
                }
                across.append(
                    DataError(
                        file: image,
                        problem:
                            "is in the splits \(other) and \(split): figures on one would tell about the other; take"
                            + " it out of one of them"))
            }
        }
    }

    /// Equal pixels under different names.
    private mutating func findEqual(_ splits: [(split: Split, pairing: Pairing)], _ hash: (Sample) -> UInt64?) {
        var first: [UInt64: (sample: Sample, split: Split)] = [:]
        for (split, pairing) in splits {
            var equal: [String] = []
            for sample in pairing.samples where sample.tile == nil {
                guard let hash = hash(sample), hash != 0 else { continue }
                guard let other = first[hash] else {
                    first[hash] = (sample, split)
                    continue
                }
                if other.split == split {
                    equal.append("\(sample.name) as \(other.sample.name)")
                } else if other.sample.image != sample.image {
                    across.append(
                        DataError(
                            file: sample.image,
                            problem: "(\(split)) shows the same as \(other.sample.image) (\(other.split)): figures on"
                                + " one split would tell about the other; remove one of them"))
                }
            }
            guard !equal.isEmpty else { continue }
            let shown = equal.prefix(4).joined(separator: ", ") + (equal.count > 4 ? " and others" : "")
            within.append("\(split): \(equal.count) images show the same as another one of this split: \(shown)")
        }
    }
}
