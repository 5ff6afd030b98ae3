import Foundation
import Images

/// PASCAL VOC: stems in `ImageSets/Segmentation/SPLIT.txt`, images in `JPEGImages`, palette masks in
/// `SegmentationClass`, or in `SegmentationClassAug` for SBD's augmented split `trainaug`.
enum VOCLayout {
    /// The folder with `JPEGImages`, from the devkit's root or from itself.
    static func base(_ root: String) -> String? {
        ["", "VOC2012", "VOCdevkit/VOC2012"].map { $0.isEmpty ? root : join(root, $0) }
            .first { isDirectory(join($0, "JPEGImages")) }
    }

    static func splits(_ root: String) -> [String] {
        guard let base = base(root) else { return [] }
        let lists = (try? FileManager.default.contentsOfDirectory(atPath: join(base, "ImageSets/Segmentation"))) ?? []
        return lists.filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }
    }

    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        guard let base = base(root) else {
            throw DataError(
                .missing, file: root,
                problem: "has no JPEGImages: name the folder VOC2012 or VOCdevkit, or, \(otherLayoutAdvice)")
        }
        let images = join(base, "JPEGImages")
        let plain = join(base, "SegmentationClass")
        let augmented = join(base, "SegmentationClassAug")
        var list = join(base, "ImageSets/Segmentation/\(split).txt")
        if split.rawValue == "trainaug", !isFile(list) {
            let train = join(base, "ImageSets/Segmentation/train.txt")
            if isFile(train) {
                list = train
                var result = try FoldersLayout.pairing(images: images, masks: [plain], stems: list)
                result.notes.append(
                    "\(base): has no list trainaug (SBD's 10,582 images): train.txt stands in for it")
                return result
            }
        }
        guard !split.rawValue.contains("/"), isFile(list) else {
            let found = splits(root).sorted()
            // CVAT calls the list of all images `default`.
            let stand = found.contains("default") ? "default" : found.count == 1 ? found[0] : nil
            let remedy = split == .train ? stand.map { ": to train on \($0).txt set data.splits.train=\($0)" } : nil
            let advice = found.isEmpty ? ": \(otherLayoutAdvice)" : remedy ?? ""
            throw DataError(
                .missing, file: list, problem: "is missing\(foundInstead("lists", found))\(advice)")
        }
        // SBD's folder has VOC's own masks too in some copies, and only its additions in others.
        let isAugmented = split.rawValue.contains("aug") && isDirectory(augmented)
        let masks = isAugmented ? [augmented, plain] : [plain]
        return try FoldersLayout.pairing(images: images, masks: masks, stems: list)
    }
}
