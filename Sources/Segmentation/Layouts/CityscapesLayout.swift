import Foundation

/// Cityscapes: `leftImg8bit/SPLIT/CITY/X_leftImg8bit.png` and `gtFine/SPLIT/CITY/X_gtFine_labelIds.png`.
///
/// Where masks of train classes (`labelTrainIds`) have been made they are used as they are; else the original ids are
/// mapped to the 19 train classes.
enum CityscapesLayout {
    private static let images = "leftImg8bit"
    private static let masks = "gtFine"

    /// The train classes in the order of their train ids, with the original id of each.
    private static let trainClasses: [(id: Int, name: String, color: Color)] = [
        (7, "road", Color(128, 64, 128)), (8, "sidewalk", Color(244, 35, 232)),
        (11, "building", Color(70, 70, 70)), (12, "wall", Color(102, 102, 156)),
        (13, "fence", Color(190, 153, 153)), (17, "pole", Color(153, 153, 153)),
        (19, "traffic light", Color(250, 170, 30)), (20, "traffic sign", Color(220, 220, 0)),
        (21, "vegetation", Color(107, 142, 35)), (22, "terrain", Color(152, 251, 152)),
        (23, "sky", Color(70, 130, 180)), (24, "person", Color(220, 20, 60)),
        (25, "rider", Color(255, 0, 0)), (26, "car", Color(0, 0, 142)),
        (27, "truck", Color(0, 0, 70)), (28, "bus", Color(0, 60, 100)),
        (31, "train", Color(0, 80, 100)), (32, "motorcycle", Color(0, 0, 230)),
        (33, "bicycle", Color(119, 11, 32)),
    ]

    static let classes = ClassTable(names: trainClasses.map(\.name), palette: trainClasses.map(\.color))

    /// What the masks' values mean: nil for train ids, which are labels already.
    static func labels(_ root: String) -> [UInt8?]? {
        if usesTrainIds(root) { return nil }
        // The original ids are 0 to 33; -1, the licence plate, is stored as 255.
        var table: [UInt8?] = (0..<256).map { $0 < 34 || $0 == 255 ? Mask.ignored : nil }
        for (label, entry) in trainClasses.enumerated() { table[entry.id] = UInt8(label) }
        return table
    }

    static func splits(_ root: String) -> [String] { subfolders(join(root, images)) }

    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        let folder = join(root, "\(images)/\(split)")
        guard !split.rawValue.contains("/"), isDirectory(folder) else {
            let found = splits(root).joined(separator: ", ")
            throw DataError(.missing, file: folder, problem: "is missing (splits found: \(found))")
        }
        let kind = usesTrainIds(root) ? "labelTrainIds" : "labelIds"
        var result = Pairing()
        for stem in try PictureFolder(folder).files.keys.sorted() {
            let ending = "_\(images)"
            guard stem.hasSuffix(ending) else { continue }
            let frame = String(stem.dropLast(ending.count))
            let image = join(folder, "\(stem).png")
            let mask = join(root, "\(masks)/\(split)/\(frame)_\(masks)_\(kind).png")
            let hasMask = isFile(mask)
            if !hasMask {
                result.unlabelled.append(DataError(.missing, file: image, problem: "has no mask: expected \(mask)"))
            }
            result.samples.append(
                Sample(
                    name: (frame as NSString).lastPathComponent, image: image, mask: hasMask ? mask : nil))
        }
        return result
    }

    private static func usesTrainIds(_ root: String) -> Bool {
        guard let names = FileManager.default.enumerator(atPath: join(root, masks)) else { return false }
        // The first mask of either kind decides: the official script makes train ids for all masks or for none.
        for case let name as String in names where name.hasSuffix("_labelIds.png") {
            return isFile(join(root, "\(masks)/\(name.replacingOccurrences(of: "_labelIds", with: "_labelTrainIds"))"))
        }
        return true
    }
}
