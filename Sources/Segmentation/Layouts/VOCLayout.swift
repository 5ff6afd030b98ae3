import Foundation

/// PASCAL VOC: stems in `ImageSets/Segmentation/SPLIT.txt`, images in `JPEGImages`, palette masks in
/// `SegmentationClass`, or in `SegmentationClassAug` for SBD's augmented split `trainaug`.
enum VOCLayout {
    static let classes = ClassTable(names: [
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ])

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
            throw DataError(.missing, file: root, problem: "has no JPEGImages: name the folder VOC2012 or VOCdevkit")
        }
        let list = join(base, "ImageSets/Segmentation/\(split).txt")
        guard !split.rawValue.contains("/"), isFile(list) else {
            let found = splits(root).sorted().joined(separator: ", ")
            throw DataError(.missing, file: list, problem: "is missing (lists found: \(found))")
        }
        let augmented = split.rawValue.contains("aug") && isDirectory(join(base, "SegmentationClassAug"))
        let masks = join(base, augmented ? "SegmentationClassAug" : "SegmentationClass")
        return try FoldersLayout.pairing(images: join(base, "JPEGImages"), masks: masks, stems: list)
    }
}
