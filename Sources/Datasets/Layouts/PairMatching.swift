/// Which masks fit which images, by one way of comparing their names.
struct PairMatching {
    /// Images with what fits them.
    private(set) var pairs: [(image: PairName, masks: [PairName])] = []
    private var way = Way(folders: true, splits: true, dropsShared: false)

    /// What is compared of names.
    private struct Way {
        /// Words of the folders.
        var folders: Bool
        var splits: Bool
        /// Whether what all names in a folder share is left out.
        var dropsShared: Bool
    }

    /// The way that finds most pairs; of several the strictest.
    static func best(images: [PairName], masks: [PairName]) -> PairMatching {
        var best = PairMatching()
        guard !images.isEmpty, !masks.isEmpty else { return best }
        for folders in [true, false] {
            for splits in [true, false] {
                for dropsShared in [false, true] {
                    let way = Way(folders: folders, splits: splits, dropsShared: dropsShared)
                    let found = PairMatching(images, masks, way)
                    if found.pairs.count > best.pairs.count { best = found }
                    if found.pairs.count == masks.count { return best }
                }
            }
        }
        return best
    }

    /// The folders of masks that would fit images as well if their folders' names did not count.
    func rivals(images: [PairName], masks: [PairName]) -> [String: Set<String>] {
        guard way.folders, pairs.count < masks.count else { return [:] }
        var result: [String: Set<String>] = [:]
        for dropsShared in [false, true] {
            for (image, masks) in PairMatching(
                images, masks, Way(folders: false, splits: way.splits, dropsShared: dropsShared)
            ).pairs { result[image.path, default: []].formUnion(masks.map(\.folder)) }
        }
        return result
    }

    /// The images that are alone in a folder, with all masks in it, whatever their names; folders of images and of masks
    /// within it are not counted.
    static func objects(images: [PairName], masks: [PairName]) -> [(image: PairName, masks: [PairName])] {
        let masks = Dictionary(grouping: masks, by: \.owner)
        let alone = Dictionary(grouping: images, by: \.owner).filter { $0.value.count == 1 && masks[$0.key] != nil }
        guard alone.count > 1 else { return [] }
        return alone.compactMap { owner, images in images.first.map { ($0, masks[owner] ?? []) } }
            .sorted { $0.image.path < $1.image.path }
    }

    private init() {}

    /// An image whose key another one has too fits nothing: nobody knows which of them is meant.
    private init(_ images: [PairName], _ masks: [PairName], _ way: Way) {
        self.way = way
        let fitting = Keys(masks, way).names
        for (key, names) in Keys(images, way).names where names.count == 1 {
            if let masks = fitting[key] { pairs.append((names[0], masks)) }
        }
        pairs.sort { $0.image.path < $1.image.path }
    }

    /// Names by what is compared of them.
    private struct Keys {
        private(set) var names: [[String]: [PairName]] = [:]

        init(_ all: [PairName], _ way: Way) {
            for names in Dictionary(grouping: all, by: \.folder).values {
                let (leading, trailing) = way.dropsShared ? Keys.shared(names.map(\.stem)) : (0, 0)
                for name in names {
                    let stem = name.stem.dropFirst(leading).dropLast(trailing)
                    let key =
                        (way.splits ? [name.split ?? ""] : []) + (way.folders ? name.folders : []) + ["/"]
                        + stem
                    self.names[key, default: []].append(name)
                }
            }
        }

        /// How many words all names of a folder have in common at the beginning and at the end, one left at least.
        private static func shared(_ stems: [[String]]) -> (leading: Int, trailing: Int) {
            guard let first = stems.first, stems.count > 1, let shortest = stems.map(\.count).min(), shortest > 1 else {
                return (0, 0)
            }
            let leading = (0..<shortest - 1).prefix { place in stems.allSatisfy { $0[place] == first[place] } }.count
            let trailing = (0..<shortest - 1 - leading).prefix { place in
                stems.allSatisfy { $0[$0.count - 1 - place] == first[first.count - 1 - place] }
            }.count
            return (leading, trailing)
        }
    }
}
