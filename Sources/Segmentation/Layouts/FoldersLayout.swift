import Foundation

/// `images` and `masks` with equal stems, the splits as folders inside or outside of them, or as lists of stems.
enum FoldersLayout {
    private static let images = "images"
    private static let masks = "masks"
    private static let known = ["train", "val", "test"]

    /// Whether a folder looks like this layout.
    static func matches(_ root: String) -> Bool {
        isDirectory(join(root, images)) || !outerSplits(root).isEmpty
    }

    /// The splits that are there.
    static func splits(_ root: String) -> [String] {
        let outer = outerSplits(root)
        if !outer.isEmpty { return outer }
        let lists = listedSplits(root)
        if !lists.isEmpty { return lists }
        let inner = subfolders(join(root, images))
        return inner.isEmpty ? ["train"] : inner
    }

    /// The pairs of a split and what is wrong with them.
    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        let name = split.rawValue
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
            throw DataError(.missing, file: root, problem: "`\(name)` is no name of a split")
        }
        let outer = join(root, name)
        if isDirectory(join(outer, images)) {
            return try pairing(images: join(outer, images), masks: join(outer, masks))
        }
        let (imageRoot, maskRoot) = (join(root, images), join(root, masks))
        if isDirectory(join(imageRoot, name)) {
            return try pairing(images: join(imageRoot, name), masks: join(maskRoot, name))
        }
        let list = join(root, "\(name).txt")
        if isFile(list) {
            return try pairing(images: imageRoot, masks: [maskRoot], stems: list)
        }
        guard name == "train", isDirectory(imageRoot), splits(root) == ["train"] else {
            throw DataError(
                .missing, file: root,
                problem: "has no split `\(name)` (found: \(splits(root).joined(separator: ", "))): make"
                    + " images/\(name) and masks/\(name), or list its stems in \(name).txt")
        }
        return try pairing(images: imageRoot, masks: maskRoot)
    }

    /// Pairs all files of two folders by their stems.
    static func pairing(images: String, masks: String) throws -> Pairing {
        let imageFiles = try PictureFolder(images)
        let maskFiles = isDirectory(masks) ? try PictureFolder(masks) : PictureFolder()
        var result = Pairing()
        for stem in imageFiles.files.keys.sorted() {
            add(stem, imageFiles, [maskFiles], masks: masks, to: &result)
        }
        for stem in maskFiles.files.keys.sorted() where imageFiles.files[stem] == nil {
            result.problems.append(
                DataError(
                    file: maskFiles.files[stem]?.first ?? masks,
                    problem: "has no image: expected \(join(images, stem)) with .png, .jpg or .jpeg; add the image or"
                        + " remove the mask"))
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
                        problem: "lists `\(line)`, but there is no \(join(images, stem)) with .png, .jpg or .jpeg"))
            } else {
                add(stem, imageFiles, maskFiles, masks: masks.first ?? "", to: &result)
            }
        }
        return result
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
        let isPreview = { (path: String) in [".jpg", ".jpeg"].contains { path.lowercased().hasSuffix($0) } }
        let mask = candidates.first { !isPreview($0) } ?? candidates.first
        if mask == nil {
            result.unlabelled.append(
                DataError(
                    .missing, file: image,
                    problem: "has no mask: expected \(join(masks, stem)).png; add the mask or remove the image"))
        }
        result.samples.append(Sample(name: stem, image: image, mask: mask))
    }

    private static func outerSplits(_ root: String) -> [String] {
        subfolders(root).filter { isDirectory(join(join(root, $0), images)) }
    }
}

/// The pictures below a folder by their stems: paths below the folder, without extension.
struct PictureFolder {
    private(set) var files: [String: [String]] = [:]

    /// No pictures.
    init() {}

    /// Lists a folder and the folders in it; hidden files are passed over.
    init(_ folder: String) throws {
        guard let names = FileManager.default.enumerator(atPath: folder) else {
            throw DataError(.missing, file: folder, problem: "cannot be listed")
        }
        for case let name as String in names {
            guard !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }), let stem = Self.stem(name)
            else { continue }
            files[stem, default: []].append(join(folder, name))
        }
        for stem in files.keys { files[stem]?.sort() }
    }

    /// A picture's name without its extension; nil for other files.
    static func stem(_ name: String) -> String? {
        for ending in [".png", ".jpg", ".jpeg", ".ppm", ".pgm"] where name.lowercased().hasSuffix(ending) {
            return String(name.dropLast(ending.count))
        }
        return nil
    }
}
