import Foundation

/// An image of a data set and, where it is labelled, its mask.
public struct Sample: Hashable, Codable, Sendable {
    /// What the sample is called in reports and in the names of predictions: its stem, unique within its split.
    public let name: String
    /// The image's path.
    public let image: String
    /// The mask's path; nil where there is none.
    public let mask: String?

    /// Pairs an image with its mask.
    public init(name: String, image: String, mask: String?) {
        self.name = name
        self.image = image
        self.mask = mask
    }
}

/// A part of a data set.
public struct Split: RawRepresentable, Hashable, Codable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    /// What networks are trained on.
    public static let train: Split = "train"
    /// What choices are made by.
    public static let val: Split = "val"
    /// What results are reported on.
    public static let test: Split = "test"

    /// The split's name, as in the data set's folders and lists.
    public let rawValue: String

    /// A split of that name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A split of that name.
    public init(stringLiteral value: String) { rawValue = value }

    /// The split's name.
    public var description: String { rawValue }
}

/// The ways in which data sets lie in their folders.
public enum Layout: String, CaseIterable, Codable, Sendable {
    /// `images` and `masks` with equal stems.
    case folders
    /// `SPLIT.txt` with an image and its mask on each line.
    case list
    /// Cityscapes: `leftImg8bit/SPLIT/CITY` and `gtFine/SPLIT/CITY`.
    case cityscapes
    /// PASCAL VOC: `JPEGImages`, `SegmentationClass` and `ImageSets/Segmentation/SPLIT.txt`.
    case voc
    /// ADE20K SceneParsing: `images/SPLIT` and `annotations/SPLIT`, 0 ignored.
    case ade20k
}

/// A data set on disk: its samples by split, its classes, and what the values in its masks mean.
public struct Dataset: Sendable {
    /// The data set's folder.
    public let root: String
    /// How it lies there.
    public let layout: Layout
    /// Its classes.
    public let classes: ClassTable
    /// What the values in its masks mean.
    public let labels: LabelMap

    /// Opens a data set; nothing but its class file is read yet.
    ///
    /// - Parameters:
    ///   - root: its folder.
    ///   - layout: how it lies there; recognised by `detectLayout` if nil.
    ///   - classes: its classes; nil takes those of `classes.txt` in the folder, or the layout's own.
    ///   - ignoring: values in masks that mean ignored pixels, besides 255.
    ///   - mapping: values in masks that mean another class.
    /// - Throws: `DataError` where the folder, its layout or its classes cannot be made out.
    public init(
        root: String, layout: Layout? = nil, classes: ClassTable? = nil, ignoring: [UInt8] = [],
        mapping: [UInt8: UInt8] = [:]
    ) throws {
        guard isDirectory(root) else {
            throw DataError(.missing, file: root, problem: "is no folder: name the data set's root")
        }
        let layout = try layout ?? detectLayout(root)
        let classes = try classes ?? Self.classes(root: root, layout: layout)
        for (value, label) in mapping where label >= classes.count && label != Mask.ignored {
            throw DataError(
                file: root, problem: "label \(value) is mapped to \(label), but there are \(classes.count) classes")
        }
        self.root = root
        self.layout = layout
        self.classes = classes
        let table: [UInt8?]? =
            switch layout {
            case .cityscapes: CityscapesLayout.labels(root)
            case .ade20k: ADE20KLayout.labels
            case .folders, .list, .voc: nil
            }
        labels = LabelMap(classes: classes.count, table: table, ignoring: ignoring, mapping: mapping)
    }

    /// The samples of a split in a fixed order (by name, or as listed).
    ///
    /// - Parameters:
    ///   - split: the split.
    ///   - masks: whether every image must have a mask.
    /// - Returns: the samples, one at least.
    /// - Throws: `DataError` that names the first file which lacks its partner or is listed wrongly.
    public func samples(_ split: Split, masks: Bool = true) throws -> [Sample] {
        let pairing = try pairing(split)
        let problems = pairing.problems + (masks ? pairing.unlabelled : [])
        if let first = problems.first {
            let more = problems.count > 1 ? " (and \(problems.count - 1) more like it in \(split))" : ""
            throw DataError(first.kind, file: first.file, problem: first.problem + more)
        }
        guard !pairing.samples.isEmpty else {
            throw DataError(.missing, file: root, problem: "has no images in the split `\(split)`")
        }
        return pairing.samples
    }

    /// The splits that are there, the usual ones first.
    public var splits: [Split] {
        let names =
            switch layout {
            case .folders: FoldersLayout.splits(root)
            case .list: listedSplits(root)
            case .cityscapes: CityscapesLayout.splits(root)
            case .voc: VOCLayout.splits(root)
            case .ade20k: ADE20KLayout.splits(root)
            }
        let usual = ["train", "val", "test"]
        return (usual.filter(names.contains) + names.filter { !usual.contains($0) }.sorted()).map(Split.init(rawValue:))
    }

    /// Everything found for a split, with all that is wrong.
    package func pairing(_ split: Split) throws -> Pairing {
        switch layout {
        case .folders: try FoldersLayout.pairing(root, split)
        case .list: try listPairing(root, split)
        case .cityscapes: try CityscapesLayout.pairing(root, split)
        case .voc: try VOCLayout.pairing(root, split)
        case .ade20k: try ADE20KLayout.pairing(root, split)
        }
    }

    private static func classes(root: String, layout: Layout) throws -> ClassTable {
        let file = join(root, "classes.txt")
        if isFile(file) { return try ClassTable(classesFile: file) }
        switch layout {
        case .cityscapes: return CityscapesLayout.classes
        case .voc: return VOCLayout.classes
        case .ade20k: return try ADE20KLayout.classes(root)
        case .folders, .list:
            throw DataError(
                .missing, file: file, problem: "is missing: write one class name a line, or name the classes")
        }
    }
}

/// The samples found for a split and what is wrong with the others.
package struct Pairing: Sendable {
    /// Images, with their masks where there are any.
    package var samples: [Sample] = []
    /// One for each image without mask.
    package var unlabelled: [DataError] = []
    /// Everything else.
    package var problems: [DataError] = []

    package init() {}
}

/// Recognises how a data set lies in its folder.
public func detectLayout(_ root: String) throws -> Layout {
    func has(_ path: String) -> Bool { isDirectory(join(root, path)) }
    if has("leftImg8bit") { return .cityscapes }
    if VOCLayout.base(root) != nil { return .voc }
    if has("annotations"), has("images/training") || has("images/validation") { return .ade20k }
    if FoldersLayout.matches(root) { return .folders }
    if !listedSplits(root).isEmpty { return .list }
    throw DataError(
        .missing, file: root,
        problem: "is no data set of a known layout: it needs images/ and masks/, or train.txt with an image and its"
            + " mask on each line")
}

func join(_ folder: String, _ name: String) -> String { folder.hasSuffix("/") ? folder + name : folder + "/" + name }

func isDirectory(_ path: String) -> Bool {
    var directory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && directory.boolValue
}

/// The folders inside a folder, in order, without hidden ones.
func subfolders(_ path: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { !$0.hasPrefix(".") && isDirectory(join(path, $0)) }.sorted()
}

func isFile(_ path: String) -> Bool {
    var directory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && !directory.boolValue
}
