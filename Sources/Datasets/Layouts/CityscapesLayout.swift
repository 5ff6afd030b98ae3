import Foundation
import Images

/// Cityscapes: `leftImg8bit/SPLIT/CITY/X_leftImg8bit.png` (or .jpg) and `gtFine/SPLIT/CITY/X_gtFine_labelIds.png`.
///
/// Splits without a folder in `gtFine` have their masks in `gtCoarse` (`train_extra`), and `train_coarse` and
/// `val_coarse` are the images of `train` and `val` with the coarse masks. Where masks of train classes
/// (`labelTrainIds`) have been made they are used as they are; else the original ids are mapped to the 19 train classes.
enum CityscapesLayout {
    private static let images = "leftImg8bit"
    private static let fine = "gtFine"
    private static let coarse = "gtCoarse"
    private static let coarseEnding = "_coarse"

    /// The original id of each train class, by train id.
    static let originalIds = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]

    /// What the masks' values mean: nil for train ids, which are labels already.
    static func labels(_ root: String) -> [UInt8?]? {
        if usesTrainIds(root) { return nil }
        // The original ids are 0 to 33; -1, the licence plate, is stored as 255.
        var table: [UInt8?] = (0..<256).map { $0 < 34 || $0 == 255 ? Mask.ignored : nil }
        for (label, id) in originalIds.enumerated() { table[id] = UInt8(label) }
        return table
    }

    static func splits(_ root: String) -> [String] {
        let folders = subfolders(join(root, images))
        let twice = folders.filter { split in
            [fine, coarse].allSatisfy { isDirectory(join(root, "\($0)/\(split)")) }
        }
        return folders + twice.map { $0 + coarseEnding }
    }

    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        var name = split.rawValue
        var masks = fine
        if name.hasSuffix(coarseEnding), !isDirectory(join(root, "\(images)/\(name)")) {
            name = String(name.dropLast(coarseEnding.count))
            masks = coarse
        } else if !isDirectory(join(root, "\(fine)/\(name)")), isDirectory(join(root, "\(coarse)/\(name)")) {
            masks = coarse
        }
        let folder = join(root, "\(images)/\(name)")
        guard !name.contains("/"), isDirectory(folder) else {
            let found = splits(root)
            throw DataError(
                .missing, file: folder,
                problem: "is missing" + (found.isEmpty ? ": \(otherLayoutAdvice)" : foundInstead("splits", found)))
        }
        let kind = usesTrainIds(root) ? "labelTrainIds" : "labelIds"
        let pictures = try PictureFolder(folder)
        var result = Pairing()
        result.notes = pictures.notes
        var strays: [String] = []
        var frames: Set<String> = []
        for (stem, files) in pictures.files.sorted(by: { $0.key < $1.key }) {
            let ending = "_\(images)"
            guard stem.hasSuffix(ending), let image = files.first else {
                strays += files
                continue
            }
            let frame = String(stem.dropLast(ending.count))
            frames.insert(frame)
            for other in files.dropFirst() {
                result.problems.append(
                    DataError(file: other, problem: "has the same stem as \(image): rename or remove one of them"))
            }
            let mask = join(root, "\(masks)/\(name)/\(frame)_\(masks)_\(kind).png")
            let hasMask = isFile(mask)
            if !hasMask {
                result.unlabelled.append(DataError(.missing, file: image, problem: "has no mask: expected \(mask)"))
            }
            result.samples.append(
                Sample(
                    name: (frame as NSString).lastPathComponent, image: image, mask: hasMask ? mask : nil))
        }
        if !strays.isEmpty {
            result.notes.append(
                "\(folder): \(FileTree.counts(of: strays)) left out (images are called X_\(images).png)")
        }
        let maskFolder = join(root, "\(masks)/\(name)")
        let maskEnding = "_\(masks)_\(kind).png"
        let alone = ((try? FileTree(maskFolder).files) ?? []).filter {
            $0.hasSuffix(maskEnding) && !frames.contains(String($0.dropLast(maskEnding.count)))
        }
        if !alone.isEmpty { result.notes.append("\(maskFolder): \(alone.count) masks have no image, left out") }
        return result
    }

    /// Whether the masks of train classes have been made, for fine and coarse ones alike.
    private static func usesTrainIds(_ root: String) -> Bool {
        [fine, coarse].filter { isDirectory(join(root, $0)) }.allSatisfy { masks in
            guard let names = try? FileTree(join(root, masks)).files else { return false }
            // The first mask of either kind decides: the official script makes train ids for all masks or for none.
            for name in names where name.hasSuffix("_labelIds.png") {
                return isFile(
                    join(root, "\(masks)/\(name.replacingOccurrences(of: "_labelIds", with: "_labelTrainIds"))"))
            }
            return true
        }
    }
}
