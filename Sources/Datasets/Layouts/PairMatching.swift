/// Which masks fit which images, by one way of comparing their names.
struct PairMatching {
    /// Images with what fits them.
    private(set) var pairs: [(image: PairName, masks: [PairName])] = []

    /// How much of names is compared.
    private struct Way {
        /// Whether folders that say nothing of what is in them must be the same; else they are passed over, which takes that
        /// images or masks have none.
        var folders: Bool
        /// Whether splits must be the same, likewise.
        var splits: Bool
        var dropped: Dropped
    }

    /// What is left out of images' and of masks' names where all names in a folder share it.
    private struct Dropped {
        var images: Ends = []
        var masks: Ends = []
        /// Whether of images' names words of splits alone are.
        var splitsAlone = false

        /// Of names that both differ from each other, only what tells no picture from another may go.
        static let all = [
            Dropped(), Dropped(images: .trailing), Dropped(images: .leading), Dropped(masks: .trailing),
            Dropped(masks: .leading), Dropped(images: [.leading, .trailing]), Dropped(masks: [.leading, .trailing]),
            Dropped(images: [.leading, .trailing], masks: [.leading, .trailing], splitsAlone: true),
        ]
    }

    /// Ends of names.
    private struct Ends: OptionSet {
        let rawValue: Int
        static let leading = Ends(rawValue: 1)
        static let trailing = Ends(rawValue: 2)
    }

    /// The strictest way that finds half at least of what the most generous one finds; of masks, those of all ways that
    /// compare as much of folders, so that none is chosen where several may be meant.
    static func best(images: [PairName], masks: [PairName]) -> PairMatching {
        var all: [PairMatching] = []
        var most = 0
        for folders in [true, false] where folders || canPassFolders(images, masks) {
            for splits in [true, false] where splits || canPassSplits(images, masks) {
                let ways = Dropped.all.map {
                    PairMatching(images, masks, Way(folders: folders, splits: splits, dropped: $0))
                }
                let best = ways.first { way in ways.allSatisfy { way.pairs.count * 2 >= $0.pairs.count } }
                guard var best else { continue }
                best.addMasks(of: ways)
                most = max(most, best.pairs.count)
                all.append(best)
            }
        }
        return all.first { 2 * $0.pairs.count >= most } ?? PairMatching()
    }

    private init() {}

    /// An image whose key another one has too fits nothing: nobody knows which of them is meant.
    private init(_ images: [PairName], _ masks: [PairName], _ way: Way) {
        let (fitting, own) = (Self.keys(masks, way, ofImages: false), Self.keys(images, way, ofImages: true))
        for (key, names) in own where names.count == 1 {
            if let masks = fitting[key] { pairs.append((names[0], masks)) }
        }
        pairs.sort { $0.image.path < $1.image.path }
    }

    /// Takes the masks in other folders that fit images in other ways.
    private mutating func addMasks(of ways: [PairMatching]) {
        var found: [String: [PairName]] = [:]
        for way in ways { for (image, masks) in way.pairs { found[image.path, default: []] += masks } }
        for index in pairs.indices {
            var folders = Set(pairs[index].masks.map(\.folder))
            for mask in found[pairs[index].image.path] ?? [] where folders.insert(mask.folder).inserted {
                pairs[index].masks.append(mask)
            }
        }
    }

    /// Folders may be passed over where images have none and masks all the same, or where masks have none.
    private static func canPassFolders(_ images: [PairName], _ masks: [PairName]) -> Bool {
        masks.allSatisfy(\.ids.isEmpty)
            || images.allSatisfy(\.ids.isEmpty) && Set(masks.map(\.ids)).count == 1
    }

    private static func canPassSplits(_ images: [PairName], _ masks: [PairName]) -> Bool {
        masks.allSatisfy { $0.split == nil } || images.allSatisfy { $0.split == nil }
    }

    /// Names by what is compared of them.
    private static func keys(_ all: [PairName], _ way: Way, ofImages: Bool) -> [[String]: [PairName]] {
        let ends = ofImages ? way.dropped.images : way.dropped.masks
        func isFree(_ word: String, _ isLast: Bool) -> Bool {
            if ofImages, way.dropped.splitsAlone { return PairWords.splits[word] != nil }
            // Numbers are a part of what a picture is, but for the channel at the end of an image's name (`x_0000`) and the
            // rater's at the end of a mask's (`x_manual1`).
            guard word.allSatisfy(\.isNumber) else { return true }
            return isLast && (ofImages ? word == "0000" : word.count == 1)
        }
        var result: [[String]: [PairName]] = [:]
        for names in Dictionary(grouping: all, by: \.folder).values {
            let shared = shared(names.map(\.stem), isFree: isFree)
            for name in names {
                let stem = name.stem.dropFirst(ends.contains(.leading) ? shared.leading : 0)
                    .dropLast(ends.contains(.trailing) ? shared.trailing : 0)
                let key = (way.splits ? [name.split ?? ""] : []) + (way.folders ? name.ids : []) + ["/"] + stem
                result[key, default: []].append(name)
            }
        }
        return result
    }

    /// How many words all names of a folder have in common at the beginning and at the end, one left at least.
    private static func shared(
        _ stems: [[String]], isFree: (_ word: String, _ isLast: Bool) -> Bool
    ) -> (leading: Int, trailing: Int) {
        guard let first = stems.first, stems.count > 1, let shortest = stems.map(\.count).min(), shortest > 1 else {
            return (0, 0)
        }
        let leading = (0..<shortest - 1).prefix { place in
            isFree(first[place], false) && stems.allSatisfy { $0[place] == first[place] }
        }.count
        let trailing = (0..<shortest - 1 - leading).prefix { place in
            let word = first[first.count - 1 - place]
            return isFree(word, true) && stems.allSatisfy { $0[$0.count - 1 - place] == word }
        }.count
        return (leading, trailing)
    }

    /// The images that are alone in a folder, with all masks in it, whatever their names; folders of images and of masks
    /// within it are not counted.
    ///
    /// - Returns: None where the masks' names come again from folder to folder, as those of classes or raters do, or are
    ///   numbers as the images' are: such masks are no objects.
    static func objects(images: [PairName], masks: [PairName]) -> [(image: PairName, masks: [PairName])] {
        let masks = Dictionary(grouping: masks, by: \.owner)
        let alone = Dictionary(grouping: images, by: \.owner).filter { $0.value.count == 1 && masks[$0.key] != nil }
        guard alone.count > 1 else { return [] }
        let found = alone.compactMap { owner, images in images.first.map { (image: $0, masks: masks[owner] ?? []) } }
        let isNumbered = found.contains { $0.image.name.allSatisfy(\.isNumber) }
        let names = found.flatMap(\.masks).map(\.name).filter { isNumbered || !$0.allSatisfy(\.isNumber) }
        // Nearly: names may be drawn at random.
        let isUnique =
            10 * Set(names).count >= 9 * names.count && !(isNumbered && names.contains { $0.allSatisfy(\.isNumber) })
        return isUnique ? found.sorted { $0.image.path < $1.image.path } : []
    }
}
