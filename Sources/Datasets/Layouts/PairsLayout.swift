import Foundation
import Images

/// Images and masks anywhere below a folder, told apart and paired by their names.
///
/// A file is a mask where the deepest folder with a word for masks or images in its name says so (`labels`, `GT`,
/// `trainannot`), or, where no folder is one of masks, its own name does (`x_mask.png`). A pair has one name but for such
/// words, for what all names in a folder have in common at either end, and for the folders, which decide where a name
/// alone would leave a choice. Where more images are alone in a folder with masks than have one of their name, all masks
/// in it are the image's, one for each object. Words for splits in folders' names (`train`, `imagesTs`) make the splits; all is `train`
/// without.
struct PairsLayout {
    /// The pairs of each split that has any, in the order of their names.
    private(set) var samples: [String: [Sample]] = [:]
    /// What was decided and should be seen.
    private(set) var notes: [String] = []
    /// What is wrong in each split.
    private(set) var problems: [String: [DataError]] = [:]
    /// How many files are masks by their names.
    let masks: Int

    /// Whether half of the masks in a folder at least have their image.
    static func matches(_ root: String) -> Bool {
        guard let found = try? PairsLayout(root) else { return false }
        let used = found.samples.values.joined().reduce(0) { $0 + $1.maskFiles.count }
        return used > 0 && 2 * used >= found.masks
    }

    /// The splits that are there.
    static func splits(_ root: String) -> [String] {
        (try? PairsLayout(root).samples.keys.sorted()) ?? []
    }

    /// The pairs of a split.
    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        let found = try PairsLayout(root)
        guard let samples = found.samples[split.rawValue] else {
            throw DataError(
                .missing, file: root,
                problem: "has no pairs of an image and a mask in the split `\(split)`"
                    + foundInstead("splits", found.samples.keys.sorted()))
        }
        var result = Pairing()
        result.samples = samples
        result.notes = found.notes
        result.problems = found.problems[split.rawValue] ?? []
        return result
    }

    /// Finds all pairs.
    ///
    /// - Throws: `DataError` where a folder cannot be listed.
    init(_ root: String) throws {
        let tree = try FileTree(root)
        let names = PairNames(tree.files.filter(PictureFormat.isPicture))
        masks = names.masks.count
        notes = tree.notes(on: root, besides: ["classes.txt", "data.yaml"])
        let matching = PairMatching.best(images: names.images, masks: names.masks)
        let objects = PairMatching.objects(images: names.images, masks: names.masks)
        var used: Set<String> = []
        var found: [(split: String, image: PairName, masks: [String])] = []
        var choices = 0
        if objects.count > matching.pairs.count {
            for (image, masks) in objects {
                used.formUnion(masks.map(\.path))
                found.append((image.split ?? "train", image, masks.map { join(root, $0.path) }.sorted()))
            }
        } else {
            let rivals = matching.rivals(images: names.images, masks: names.masks)
            for (image, candidates) in matching.pairs {
                let lossless = candidates.filter { !PictureFormat.isLossy($0.path) }
                let masks = lossless.isEmpty ? candidates : lossless
                guard let mask = masks.min(by: { ($0.stem.count, $0.path) < ($1.stem.count, $1.path) }) else {
                    continue
                }
                let split = image.split ?? mask.split ?? "train"
                let folders = Set(masks.map(\.folder)).union(rivals[image.path] ?? [])
                if folders.count > 1 {
                    problems[split, default: []].append(Self.ambiguity(join(root, image.path), folders))
                }
                used.formUnion(candidates.map(\.path))
                choices += masks.count > 1 ? 1 : 0
                found.append((split, image, [join(root, mask.path)]))
            }
        }
        tell(found, names, used: used, choices: choices, root: root)
        for (split, pairs) in Dictionary(grouping: found, by: \.split) {
            let stems = Dictionary(grouping: pairs) { ($0.image.path as NSString).lastPathComponent.lowercased() }
            samples[split] = pairs.map { _, image, masks in
                let last = (image.path as NSString).lastPathComponent
                let name = (stems[last.lowercased()]?.count == 1 ? last : image.path) as NSString
                var sample = Sample(name: name.deletingPathExtension, image: join(root, image.path), mask: masks.first)
                sample.furtherMasks = Array(masks.dropFirst())
                return sample
            }.sorted { $0.name < $1.name }
        }
    }

    private static func ambiguity(_ image: String, _ folders: Set<String>) -> DataError {
        let names = folders.map { $0.isEmpty ? "." : $0 }.sorted().joined(separator: ", ")
        return DataError(
            file: image,
            problem: "may have its mask in any of the folders \(names): take those away that are not meant, or list the"
                + " pairs in train.txt")
    }

    /// Says what was found, and what was left out.
    private mutating func tell(
        _ found: [(split: String, image: PairName, masks: [String])], _ names: PairNames, used: Set<String>,
        choices: Int,
        root: String
    ) {
        guard let first = found.first, let mask = first.masks.first?.dropFirst(join(root, "").count) else { return }
        let objects = found.contains { $0.masks.count > 1 } ? ", with others beside it, one for each object" : ""
        notes.append(
            "\(root): \(found.count) images with their masks are found by their names, as \(first.image.path) and"
                + " \(mask)\(objects)")
        let images = Set(found.map(\.image.path))
        let alone = [
            ("images without a mask", names.images.filter { !images.contains($0.path) }.map(\.path)),
            ("masks without an image", names.masks.filter { !used.contains($0.path) }.map(\.path)),
            ("pictures that are neither", names.others),
        ]
        for (what, paths) in alone {
            if let first = paths.first { notes.append("\(root): left out: \(what) (\(paths.count)), as \(first)") }
        }
        if choices > 0 {
            notes.append(
                "\(root): of several masks of an image (\(choices) times) the one with the shortest name is taken")
        }
    }
}
