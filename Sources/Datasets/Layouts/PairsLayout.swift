import Foundation
import Images

/// Images and masks anywhere below a folder, told apart and paired by their names.
///
/// A file is a mask where the deepest folder with a word for masks or images in its name says so (`labels`, `GT`,
/// `trainannot`), or, where no folder is one of masks, its own name does (`x_mask.png`). A pair has one name but for such
/// words, or for what all names in a folder have in common at either end of the one or the other; splits and other folders
/// must agree where both have any. Where more images are alone in a folder with masks than have one of their name, all masks
/// in it are the image's, one for each object. Words for splits in folders' names (`train`, `imagesTs`), lists of names
/// (`train.txt`), or else the images' names make the splits; all is `train` without.
struct PairsLayout {
    /// The pairs of each split that has any, in the order of their names.
    private(set) var samples: [String: [Sample]] = [:]
    /// What was decided and should be seen.
    private(set) var notes: [String] = []
    /// What is wrong in each split.
    private(set) var problems: [String: [DataError]] = [:]
    /// Whether half of the masks at least fit some image.
    private let isLikely: Bool

    /// An image and its masks.
    private struct Pair {
        let image: PairName
        let masks: [PairName]
        var split: String
    }

    /// Whether a folder holds pairs, and few masks besides.
    static func matches(_ root: String) -> Bool { (try? PairsLayout(root).isLikely) == true }

    /// The splits that are there.
    var splits: [String] { samples.keys.sorted() }

    /// The pairs of a split, by its usual name or by the data set's own word for it (`training`).
    func pairing(_ root: String, _ split: Split) throws -> Pairing {
        let own = split.rawValue
        let name = samples[own] == nil ? PairWords.splits[own.lowercased()] ?? own : own
        guard let found = samples[name] else {
            throw DataError(
                .missing, file: root,
                problem: "has no pairs of an image and a mask in the split `\(split)`"
                    + foundInstead("splits", splits))
        }
        var result = Pairing()
        result.samples = found
        result.notes = notes
        result.problems = problems[name] ?? []
        return result
    }

    /// Finds all pairs.
    ///
    /// - Throws: `DataError` where a folder or a list of names cannot be read.
    init(_ root: String) throws {
        let tree = try FileTree(root)
        let names = PairNames(tree.files.filter(PictureFormat.isPicture))
        let lists = listedSplits(root)
        notes = tree.notes(on: root, besides: Set(["classes.txt", "data.yaml"] + lists.map { $0 + ".txt" }))
        let matching = PairMatching.best(images: names.images, masks: names.masks)
        let objects = PairMatching.objects(images: names.images, masks: names.masks)
        let areObjects = objects.count > matching.pairs.count
        let fitting = areObjects ? objects : matching.pairs
        let used = Set(fitting.flatMap { $0.masks.map(\.path) })
        isLikely = !fitting.isEmpty && 2 * used.count >= names.masks.count
        var pairs = fitting.map { image, masks in
            Pair(
                image: image, masks: masks.sorted { $0.path < $1.path },
                split: image.split ?? masks.first?.split ?? "train")
        }
        if !areObjects { pairs = pairs.map { chosen($0, root: root) } }
        checkImageFolders(pairs, names, root: root)
        if !lists.isEmpty { try obey(lists, &pairs, root: root) }
        tell(pairs, names, paired: Set(fitting.map(\.image.path)), used: used, root: root)
        for (split, pairs) in Dictionary(grouping: pairs, by: \.split) {
            let counts = Dictionary(grouping: pairs, by: \.image.name)
            samples[split] = pairs.map { pair in
                let path = pair.image.path as NSString
                let name = counts[pair.image.name]?.count == 1 ? path.lastPathComponent as NSString : path
                let masks = pair.masks.map { join(root, $0.path) }
                var sample = Sample(
                    name: name.deletingPathExtension, image: join(root, pair.image.path), mask: masks.first)
                sample.furtherMasks = Array(masks.dropFirst())
                return sample
            }.sorted { $0.name < $1.name }
        }
    }

    /// A pair with one mask: that of the image's very name, or the only one that lost nothing; else its user is asked.
    private mutating func chosen(_ pair: Pair, root: String) -> Pair {
        let lossless = pair.masks.filter { !PictureFormat.isLossy($0.path) }
        var masks = lossless.isEmpty ? pair.masks : lossless
        let exact = masks.filter { $0.name == pair.image.name }
        if exact.count == 1, Set(masks.map(\.folder)).count == 1 { masks = exact }
        if masks.count > 1 {
            let paths = masks.prefix(4).map(\.path).joined(separator: ", ")
            problems[pair.split, default: []].append(
                DataError(
                    file: join(root, pair.image.path),
                    problem:
                        "may have its mask in any of \(paths): take those away that are not meant, or list the pairs"
                        + " in train.txt and set data.format=list"))
        }
        return Pair(image: pair.image, masks: Array(masks.prefix(1)), split: pair.split)
    }

    /// Where no folder is said to hold images, another one with as many pictures may be it.
    private mutating func checkImageFolders(_ pairs: [Pair], _ names: PairNames, root: String) {
        guard let first = pairs.first, !names.images.contains(where: { $0.folderRole == .image }) else { return }
        let folders = Set(pairs.map(\.image.folder))
        let others = names.images.filter { !folders.contains($0.folder) && !$0.ids.isEmpty }
        guard let other = others.first, 2 * others.count >= pairs.count else { return }
        problems[first.split, default: []].append(
            DataError(
                file: root,
                problem: "its images may be those of \(first.image.folder) or of \(other.folder): name the right folder"
                    + " images, or take the other one away"))
    }

    /// Gives images the splits of lists of names; what stands in none is left out.
    private mutating func obey(_ lists: [String], _ pairs: inout [Pair], root: String) throws {
        var splits: [String: String] = [:]
        for list in lists where list != "trainval" {
            for line in try readTextFile(join(root, list + ".txt")) where !line.isEmpty && !line.hasPrefix("#") {
                let name = line.split(separator: " ").first.map(String.init) ?? line
                for key in [line, name] {
                    let last = (key as NSString).lastPathComponent
                    splits[(PictureFolder.stem(last) ?? last).lowercased()] = list
                }
            }
        }
        guard !splits.isEmpty else { return }
        let listed = pairs.compactMap { pair -> Pair? in
            guard let split = splits[pair.image.name] else { return nil }
            return Pair(image: pair.image, masks: pair.masks, split: split)
        }
        guard !listed.isEmpty || pairs.isEmpty else {
            throw DataError(
                file: join(root, lists[0] + ".txt"), problem: "names none of the images, as \(pairs[0].image.path)")
        }
        if listed.count < pairs.count {
            notes.append("\(root): left out: images that no list names (\(pairs.count - listed.count))")
        }
        pairs = listed
    }

    /// Says what was found, and what was left out.
    private mutating func tell(
        _ pairs: [Pair], _ names: PairNames, paired: Set<String>, used: Set<String>, root: String
    ) {
        guard let first = pairs.first, let mask = first.masks.first else { return }
        let objects = pairs.contains { $0.masks.count > 1 } ? ", with others beside it, one for each object" : ""
        notes.append(
            "\(root): \(pairs.count) images with their masks are found by their names, as \(first.image.path) and"
                + " \(mask.path)\(objects)")
        let alone = [
            ("images without a mask", names.images.filter { !paired.contains($0.path) }.map(\.path)),
            ("masks without an image", names.masks.filter { !used.contains($0.path) }.map(\.path)),
            ("pictures that are neither", names.others),
        ]
        for (what, paths) in alone {
            if let first = paths.first { notes.append("\(root): left out: \(what) (\(paths.count)), as \(first)") }
        }
    }
}
