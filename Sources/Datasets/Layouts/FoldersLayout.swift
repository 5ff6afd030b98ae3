import Foundation
import Images

/// `images` and `masks` with equal stems, the splits as folders inside or outside of them, or as lists of stems.
///
/// Links are followed wherever they lead: the folder is its user's own, and nothing but pictures is read from it. Where
/// there is no `masks`, a folder of another usual name that holds pictures of the images' names is taken, and told.
enum FoldersLayout {
    private static let images = "images"
    private static let masks = "masks"
    /// Other names of the folder of masks, in any case of letters.
    private static let otherMasks: Set = [
        "masks", "mask", "labels", "label", "annotations", "annotation", "gt", "ground_truth", "groundtruth",
        "segmentation", "segmentations", "segmentationclass", "targets",
    ]

    /// Whether a folder looks like this layout.
    static func matches(_ root: String) -> Bool {
        isDirectory(join(root, images)) || !FolderSplits(root).outer.isEmpty
    }

    /// Whether there are folders of masks.
    static func hasMasks(_ root: String) -> Bool {
        ([""] + subfolders(root)).contains { isDirectory(join($0.isEmpty ? root : join(root, $0), masks)) }
    }

    /// Whether any image has a mask of its name, or there is a fault to be told.
    static func hasPairs(_ root: String) -> Bool {
        let splits = FolderSplits(root)
        return splits.names.contains { split in
            guard let pairing = try? pairing(root, Split(rawValue: split), among: splits) else { return true }
            return pairing.samples.contains { $0.mask != nil }
        }
    }

    /// The splits that are there.
    static func splits(_ root: String) -> [String] { FolderSplits(root).names }

    /// The pairs of a split and what is wrong with them.
    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        try pairing(root, split, among: FolderSplits(root))
    }

    private static func pairing(_ root: String, _ split: Split, among splits: FolderSplits) throws -> Pairing {
        let name = split.rawValue
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
            throw DataError(.missing, file: root, problem: "`\(name)` is no name of a split")
        }
        let imageRoot = join(root, images)
        for folder in [root, imageRoot] { try refuseBrokenLinks(in: folder) }
        var result: Pairing
        switch splits.place(of: name) {
        case .outer(let folder):
            result = try pairing(of: join(root, folder))
        case .inner(let folder):
            result = try pairing(of: root, split: folder)
            result.notes += straysNote(imageRoot) + straysNote(join(root, masks)) + masksAloneNote(root)
            result.notes += ADE20KLayout.noteOfOthers(root)
        case .list(let name):
            let list = join(root, "\(name).txt")
            let masks = try masks(of: root, split: nil, images: PictureFolder(imageRoot))
            result = try pairing(images: imageRoot, masks: [masks.path], stems: list)
            result.notes += masks.notes
            result.problems += try problemsOfOtherMasks(in: list, root: root, result.samples)
        case .whole:
            result = try pairing(of: root)
        case nil:
            throw DataError(
                .missing, file: root,
                problem: "has no split `\(name)` (found: \(splits.names.joined(separator: ", "))): make"
                    + " images/\(name) and masks/\(name), or list its stems in \(name).txt")
        }
        result.notes += splits.notes
        return result
    }

    /// A link to a disk that is not there must not make a split one that was never meant to be.
    private static func refuseBrokenLinks(in folder: String) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names.sorted() where !isHidden(name) && !PictureFormat.isPicture(name) {
            let path = join(folder, name)
            if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil,
                !FileManager.default.fileExists(atPath: path)
            {
                throw DataError(
                    .missing, file: path, problem: "is a link to what cannot be opened: mend it, or take it away")
            }
        }
    }

    /// Pairs the images of a folder, or of a split in it, with the masks beside them.
    private static func pairing(of root: String, split: String? = nil) throws -> Pairing {
        let folder = join(root, images) + (split.map { "/" + $0 } ?? "")
        let masks = try masks(of: root, split: split, images: PictureFolder(folder))
        var result = try pairing(images: folder, masks: masks.path)
        result.notes += masks.notes
        return result
    }

    /// The folder that holds the masks of some images.
    ///
    /// - Throws: `DataError` where several folders may be meant.
    private static func masks(
        of root: String, split: String?, images: PictureFolder
    ) throws -> (path: String, notes: [String]) {
        let ending = split.map { "/" + $0 } ?? ""
        let usual = join(root, masks) + ending
        if isDirectory(usual) { return (usual, []) }
        let found = try subfolders(root).filter { name in
            let folder = join(root, name) + ending
            guard otherMasks.contains(name.lowercased()), isDirectory(folder) else { return false }
            let pictures = try PictureFolder(folder).files
            return images.files.keys.contains { pictures[$0] != nil }
        }
        guard let name = found.first else { return (usual, []) }
        guard found.count == 1 else {
            throw DataError(
                file: root,
                problem: "has no \(masks), and the folders \(found.joined(separator: ", ")) may all hold the masks:"
                    + " rename one of them to \(masks)")
        }
        return (join(root, name) + ending, ["\(root): has no \(masks): the masks are taken from \(name)\(ending)"])
    }

    /// Tells of pictures beside the folders of the splits, which belong to none.
    private static func straysNote(_ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let strays = names.filter { !isHidden($0) && PictureFormat.isPicture($0) && isFile(join(folder, $0)) }
        if strays.isEmpty { return [] }
        return ["\(folder): \(FileTree.counts(of: strays)) beside the folders of the splits, left out"]
    }

    /// Tells of folders of masks for which there is none of images.
    private static func masksAloneNote(_ root: String) -> [String] {
        let alone = subfolders(join(root, masks)).compactMap { name -> String? in
            guard !isDirectory(join(join(root, images), name)),
                let count = try? PictureFolder(join(join(root, masks), name)).files.count, count > 0
            else { return nil }
            return "\(name) (\(count))"
        }
        if alone.isEmpty { return [] }
        return ["\(join(root, masks)): masks without a folder of images, left out: \(alone.joined(separator: ", "))"]
    }

    /// Pairs all files of two folders by their stems.
    static func pairing(images: String, masks: String) throws -> Pairing {
        let imageFiles = try PictureFolder(images)
        let maskFiles = isDirectory(masks) ? try PictureFolder(masks) : PictureFolder()
        var result = Pairing()
        result.notes = imageFiles.notes + maskFiles.notes
        for stem in imageFiles.files.keys.sorted() {
            add(stem, imageFiles, [maskFiles], masks: masks, to: &result)
        }
        for stem in maskFiles.files.keys.sorted() where imageFiles.files[stem] == nil {
            result.problems.append(
                DataError(
                    file: maskFiles.files[stem]?.first ?? masks,
                    problem: "has no image: expected \(join(images, stem)) with \(PictureFormat.listOfExtensions);"
                        + " add the image or remove the mask"))
        }
        return result
    }

    /// Pairs the files whose stems are listed, in the list's order; the first folder that has a mask gives it.
    ///
    /// Of lines with an image and its mask, as DeepLab's lists have them, the image's stem counts.
    static func pairing(images: String, masks: [String], stems list: String) throws -> Pairing {
        let imageFiles = try PictureFolder(images)
        let maskFiles = try masks.map { isDirectory($0) ? try PictureFolder($0) : PictureFolder() }
        var result = Pairing()
        result.notes = imageFiles.notes + maskFiles.flatMap(\.notes)
        var seen: Set<String> = []
        for (number, text) in try readTextFile(list).enumerated() where !text.isEmpty && !text.hasPrefix("#") {
            var line = text
            let words = text.split(separator: " ")
            if words.count == 2, words.allSatisfy({ $0.contains("/") }) {
                line = (String(words[0]) as NSString).lastPathComponent
            }
            let stem = imageFiles.files[line] == nil ? PictureFolder.stem(line) ?? line : line
            let place = "\(list):\(number + 1)"
            if !seen.insert(stem).inserted {
                result.problems.append(DataError(file: place, problem: "lists `\(stem)` a second time"))
            } else if imageFiles.files[stem] == nil {
                result.problems.append(
                    DataError(
                        .missing, file: place,
                        problem: "lists `\(line)`, but there is no \(join(images, stem)) with"
                            + " \(PictureFormat.listOfExtensions)"))
            } else {
                add(stem, imageFiles, maskFiles, masks: masks.first ?? "", to: &result)
            }
        }
        return result
    }

    /// A list that names masks must not be overruled by what lies in the folder of masks.
    private static func problemsOfOtherMasks(in list: String, root: String, _ samples: [Sample]) throws -> [DataError] {
        let masks = Set(samples.compactMap(\.mask).map { ($0 as NSString).standardizingPath })
        return try readTextFile(list).enumerated().compactMap { number, line in
            let words = line.split(separator: " ")
            guard words.count == 2, !line.hasPrefix("#") else { return nil }
            let mask = join(root, String(words[1].drop { $0 == "/" }))
            guard isFile(mask), !masks.contains((mask as NSString).standardizingPath) else { return nil }
            return DataError(
                file: "\(list):\(number + 1)",
                problem:
                    "names the mask \(words[1]), which is not the one in the folder of masks: set data.format=list to"
                    + " go by the list")
        }
    }

    private static func add(
        _ stem: String, _ imageFiles: PictureFolder, _ maskFiles: [PictureFolder], masks: String,
        to result: inout Pairing
    ) {
        guard let images = imageFiles.files[stem], let image = images.first else { return }
        for other in images.dropFirst() {
            result.problems.append(
                DataError(file: other, problem: "has the same stem as \(image): rename or remove one of them"))
        }
        let candidates = maskFiles.lazy.compactMap { $0.files[stem] }.first ?? []
        // A mask is no JPEG: one beside it is somebody's preview.
        let lossless = candidates.filter { !PictureFormat.isLossy($0) }
        let mask = lossless.first ?? candidates.first
        for other in lossless.dropFirst() {
            result.problems.append(
                DataError(file: other, problem: "has the same stem as \(lossless[0]): rename or remove one of them"))
        }
        if mask == nil {
            result.unlabelled.append(
                DataError(
                    .missing, file: image,
                    problem: "has no mask: expected \(join(masks, stem)).png; add the mask or remove the image"))
        }
        result.samples.append(Sample(name: stem, image: image, mask: mask))
    }
}
