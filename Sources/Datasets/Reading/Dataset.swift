import Foundation
import Images

/// A part of a data set.
public struct Split: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral,
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

    /// The usual name where this is another word for it: `val` for `valid`.
    public var usual: Split { Split(rawValue: SplitNames.usual(rawValue)) }

    /// The splits of a name that joins several by `+`.
    var parts: [Split] { rawValue.split(separator: "+").map { Split(rawValue: String($0)) } }
}

/// The ways in which data sets lie in their folders.
public enum Layout: String, CaseIterable, Encodable, Sendable {
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
    /// COCO: `annotations/instances_SPLIT.json` or what other tools call it, and images in `SPLIT`.
    case coco
    /// Roboflow's mask export: `SPLIT/X.jpg`, `SPLIT/X_mask.png` and `SPLIT/_classes.csv`.
    case roboflow
    /// labelme: a JSON with outlines beside each image.
    case labelme
    /// Images and masks anywhere below the folder, paired by their names.
    case pairs
    /// As `folders`, for images too large to decode for every crop: each is a grid of tiles.
    case tiles
}

/// What is needed to open a data set besides its folder; every value has a default.
public struct DatasetOptions: Hashable, Sendable {
    /// The classes; nil takes those of a class file, or the layout's own.
    public var classes: ClassTable?
    /// The class file; nil takes `classes.txt` in the folder, if it is there.
    public var classesFile: String?
    /// Whether a data set that names no classes is opened all the same, with 255 of them known by number.
    public var acceptsUnnamedClasses = false
    /// Values in masks that mean ignored pixels, besides 255.
    public var ignoring: [Int] = []
    /// Values in masks that mean another class.
    public var mapping: [Int: Int] = [:]
    /// In which form masks hold their labels.
    public var masks = MaskForm.auto
    /// How `tiles` are cut.
    public var tiles = TileOptions()
    /// Labelled pixels that an image of `coco` needs in order to count (DeepLab's protocol: 1000).
    public var minimumLabelledPixels = 0
    /// Whether list files may name files outside of the folder.
    public var allowsOutsideRoot = false
    /// Which split each image is of; nil leaves it to the folder.
    public var assignment: SplitAssignment?
    /// What the readers accept.
    public var limits = ReadLimits()
    /// The values that become black and white in images of more than 8 bits a sample; nil finds them out.
    public var range: ValueRange?
    /// How many channels images have; 3 are colours, whatever their files have.
    public var channels = 3

    /// The defaults.
    public init() {}
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
    public private(set) var labels: LabelMap

    /// What the classes were taken from: a file below the folder, the configuration, or words; nil without names.
    public let classOrigin: String?
    /// Whether the classes have names; else they are the numbers 0 to 254.
    public let namesClasses: Bool
    /// Whether the list of classes is its user's own, not one that is built in or that came with the data.
    let hasOwnClasses: Bool
    /// What was decided about the data set and should be seen by its user.
    public private(set) var notes: [String]
    /// What the values in masks were decided to mean; to be given again where the decision must stay.
    public private(set) var meaning: MaskMeaning
    let options: DatasetOptions
    /// What the layout `pairs` has found; listing and pairing all files takes seconds where they are many.
    private let pairs: PairsLayout?

    /// Opens a data set and reads its class file.
    ///
    /// Where the masks' form is `auto` and the layout leaves it open, the masks of all splits are read until it is sure
    /// what they mean: most often one, all of them where they hold nothing but 0 and 255.
    ///
    /// - Parameters:
    ///   - root: its folder.
    ///   - layout: how it lies there; recognised by `detectLayout` if nil.
    ///   - options: classes, the masks' form, and what their values mean.
    ///   - surveyed: told how many masks of how many have been read for that.
    /// - Throws: `DataError` where the folder, its layout or its classes cannot be made out.
    public init(
        root: String, layout: Layout? = nil, options: DatasetOptions,
        surveyed: (_ masks: Int, _ of: Int) -> Void = { _, _ in }
    ) throws {
        guard isDirectory(root) else {
            throw DataError(.missing, file: root, problem: "is no folder: name the data set's root")
        }
        let layout = try layout ?? detectLayout(root)
        pairs = try layout == .pairs ? PairsLayout(root) : nil
        let source = try ClassSource(root: root, layout: layout, options: options)
        var named = source?.table
        if named == nil, options.masks.isBlackAndWhite { named = ClassTable(names: ["background", "foreground"]) }
        guard let classes = named ?? (options.acceptsUnnamedClasses ? ClassTable(count: 255) : nil) else {
            throw DataError(
                .missing, file: join(root, "classes.txt"),
                problem: "is missing: write one class name a line, or name the classes")
        }
        for (value, label) in options.mapping where label >= classes.count && label != Mask.ignored {
            throw DataError(
                file: root, problem: "label \(value) is mapped to \(label), but there are \(classes.count) classes")
        }
        self.root = root
        self.layout = layout
        self.classes = classes
        self.options = options
        namesClasses = named != nil
        classOrigin = source?.origin
        let table: [UInt8?]? =
            switch layout {
            case .cityscapes: CityscapesLayout.labels(root)
            case .ade20k: ADE20KLayout.labels
            case .folders, .list, .voc, .coco, .roboflow, .labelme, .pairs, .tiles: nil
            }
        func labels(_ meaning: MaskMeaning) -> LabelMap {
            LabelMap(
                classes: classes.count, table: table, ignoring: meaning.ignore, mapping: meaning.map,
                form: meaning.form, legend: classes.legend)
        }
        let isListed =
            options.classes != nil || options.classesFile != nil || isFile(join(root, "classes.txt"))
        hasOwnClasses = isListed && !KnownClasses.allCases.contains { $0.table?.names == classes.names }
        meaning = MaskMeaning(form: options.masks, ignore: options.ignoring, map: options.mapping)
        self.labels = labels(meaning)
        notes = source?.notes ?? []
        guard options.masks == .auto, table == nil, ![.coco, .labelme].contains(layout), named != nil else { return }
        if let note = try palettesContradict(isAssumed: source?.isAssumed ?? false) {
            meaning.form = .colors
            notes.append(note)
        } else if options.mapping.isEmpty {
            let finding = try survey(surveyed).finding(root: root)
            (meaning.form, meaning.map) = (finding.form, finding.map)
            notes += finding.note.map { [$0] } ?? []
        } else {
            meaning.form = .indices
        }
        self.labels = labels(meaning)
    }

    /// Opens a data set whose classes and values in masks are as given, all else by default.
    ///
    /// - Parameters:
    ///   - root: its folder.
    ///   - layout: how it lies there; recognised by `detectLayout` if nil.
    ///   - classes: its classes; nil takes those of `classes.txt` in the folder, or the layout's own.
    ///   - ignoring: values in masks that mean ignored pixels, besides 255.
    ///   - mapping: values in masks that mean another class.
    /// - Throws: `DataError` where the folder, its layout or its classes cannot be made out.
    public init(
        root: String, layout: Layout? = nil, classes: ClassTable? = nil, ignoring: [Int] = [],
        mapping: [Int: Int] = [:]
    ) throws {
        var options = DatasetOptions()
        options.classes = classes
        options.ignoring = ignoring
        options.mapping = mapping
        try self.init(root: root, layout: layout, options: options)
    }

    /// Whether the palettes of masks have the classes' colours at other indices: what was decided then.
    private func palettesContradict(isAssumed: Bool) throws -> String? {
        guard !classes.legend.isEmpty else { return nil }
        var seen: Set<String> = []
        let masks = splits.flatMap { (try? pairing($0).samples) ?? [] }.compactMap(\.mask)
        return try PaletteCheck(classes, from: classOrigin ?? "", isAssumed: isAssumed, limits: options.limits)
            .contradiction(among: masks.filter { seen.insert($0).inserted })
    }

    /// Reads the masks of all splits until it is sure what their values mean; what cannot be read says so later.
    private func survey(_ advanced: (Int, Int) -> Void) throws -> MaskSurvey {
        var survey = MaskSurvey(classes: classes, ignoring: options.ignoring)
        var seen: Set<String> = []
        let samples = splits.flatMap { (try? pairing($0).samples) ?? [] }.filter { sample in
            guard let mask = sample.mask, sample.outlines == nil else { return false }
            return seen.insert(sample.tile.map { "\(mask)|\($0.x)|\($0.y)" } ?? mask).inserted
        }
        guard !samples.isEmpty else { return survey }
        let limits = options.limits
        let hasLegend = !classes.legend.isEmpty
        let workers = ProcessInfo.processInfo.activeProcessorCount
        let masks = OrderedPrefetcher<MaskValues?>(
            first: 0, end: samples.count, workers: workers, depth: 2 * workers, name: "mask survey"
        ) { index in
            guard let path = samples[index].mask else { return nil }
            let raw =
                try? samples[index].tile.map { try TileStore.rawMask(path, $0, limits: limits) }
                ?? readRawMask(path: path, limits: limits)
            return raw.map { MaskValues($0, hasLegend: hasLegend) }
        }
        defer { masks.stop() }
        for number in samples.indices {
            guard !survey.isDecided, let found = try masks.next() else { break }
            if let found { survey.add(found) }
            advanced(number + 1, samples.count)
        }
        return survey
    }

    /// Reads this data set's samples, images resized by a factor or to a longer side, masks alike.
    ///
    /// - Parameters:
    ///   - resize: the factor.
    ///   - longerSide: what the longer side is brought to instead.
    ///   - range: what becomes black and white in images of more than 8 bits; nil takes the options' range.
    ///   - normalization: what becomes of their bytes before a network sees them; nil takes `2 x / 255 - 1`.
    /// - Returns: the reader.
    public func reader(
        resize: Double = 1, longerSide: Int? = nil, range: ValueRange? = nil,
        normalization: ChannelNormalization? = nil
    ) -> SampleReader {
        SampleReader(
            labels: labels, resize: resize, longerSide: longerSide, limits: options.limits,
            range: range ?? options.range, channels: options.channels, normalization: normalization)
    }

    /// How many channels its images have.
    public var channels: Int { options.channels }

    /// The values that become black and white in images of more than 8 bits: the options' range, or one that holds what
    /// is met in a hundred of these samples.
    ///
    /// - Returns: The range; nil where no image has more than 8 bits a sample, or where the options leave it open and
    ///   none was found. What is to be said about one that was found goes to `noting`.
    public func range(of samples: [Sample], noting: (String) -> Void = { _ in }) -> ValueRange? {
        if let range = options.range { return range }
        guard let (range, note) = ValueRange.found(in: samples, limits: options.limits, channels: channels) else {
            return nil
        }
        noting("\(root): \(note)")
        return range
    }

    /// The samples of a split in a fixed order (by name, or as listed).
    ///
    /// - Parameters:
    ///   - split: the split, or several joined by `+`, as `train+train_extra`.
    ///   - masks: whether every image must have a mask.
    ///   - noting: takes what was decided and should be seen: images left out, a list that stands in for another.
    /// - Returns: the samples, one at least.
    /// - Throws: `DataError` that names the first file which lacks its partner or is listed wrongly.
    public func samples(
        _ split: Split, masks: Bool = true, noting: (String) -> Void = { _ in }
    ) throws -> [Sample] {
        let pairing = try pairing(split)
        for note in notes + pairing.notes { noting(note) }
        if masks, let fault = pairing.withoutMasks(split, root: root) { throw fault }
        let problems = pairing.problems + (masks ? pairing.unlabelled : [])
        if let first = problems.first {
            let more = problems.count > 1 ? " (and \(problems.count - 1) more like it in \(split))" : ""
            throw DataError(first.kind, file: first.file, problem: first.problem + more)
        }
        guard !pairing.samples.isEmpty else { throw pairing.empty(split, root: root) }
        return pairing.samples
    }

    /// The splits that are there, the usual ones first.
    public var splits: [Split] {
        let names = options.assignment.map { $0.names.sorted() } ?? ownSplits
        let usual = ["train", "val", "test"]
        return (usual.filter(names.contains) + names.filter { !usual.contains($0) }.sorted()).map(Split.init(rawValue:))
    }

    /// The splits of the folder itself.
    private var ownSplits: [String] {
        switch layout {
        case .folders: FoldersLayout.splits(root)
        case .list: listedSplits(root)
        case .cityscapes: CityscapesLayout.splits(root)
        case .voc: VOCLayout.splits(root)
        case .ade20k: ADE20KLayout.splits(root)
        case .coco: COCOLayout.splits(root)
        case .roboflow: RoboflowLayout.splits(root)
        case .labelme: LabelMeLayout.splits(root)
        case .pairs: pairs?.splits ?? []
        case .tiles: FoldersLayout.splits(root)
        }
    }

    /// Everything found for a split, or for several joined by `+`, with all that is wrong.
    package func pairing(_ split: Split) throws -> Pairing {
        let parts = split.parts
        guard parts.count > 1 else { return try pairing(of: split) }
        return try parts.reduce(into: Pairing()) { result, part in
            let found = try pairing(of: part)
            result.samples += found.samples
            result.unlabelled += found.unlabelled
            result.problems += found.problems
            result.notes += found.notes
        }
    }

    private func pairing(of split: Split) throws -> Pairing {
        guard let assignment = options.assignment else { return try ownPairing(of: split) }
        guard assignment.names.contains(split.rawValue) else {
            throw DataError(
                .missing, file: root,
                problem:
                    "has no image in the split `\(split)` (assigned: \(assignment.names.sorted().joined(separator: ", ")))"
            )
        }
        let own = try ownSplits.map { name in
            let place = Split(rawValue: name)
            return (place, try ownPairing(of: place))
        }
        return assignment.pairing(split, among: own, root: root)
    }

    private func ownPairing(of split: Split) throws -> Pairing {
        switch layout {
        case .folders: try FoldersLayout.pairing(root, split)
        case .list: try listPairing(root, split, allowsOutside: options.allowsOutsideRoot)
        case .cityscapes: try CityscapesLayout.pairing(root, split)
        case .voc: try VOCLayout.pairing(root, split)
        case .ade20k: try ADE20KLayout.pairing(root, split)
        case .coco:
            try COCOLayout.pairing(
                root, split, classes: classes, minimumPixels: options.minimumLabelledPixels,
                allowsOutside: options.allowsOutsideRoot)
        case .roboflow: try RoboflowLayout.pairing(root, split)
        case .labelme:
            try LabelMeLayout.pairing(
                root, split, classes: classes, limits: options.limits, allowsOutside: options.allowsOutsideRoot)
        case .pairs: try pairs?.pairing(root, split) ?? Pairing()
        case .tiles: try options.tiles.cut(FoldersLayout.pairing(root, split), root: root, limits: options.limits)
        }
    }
}

package func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

func isDirectory(_ path: String) -> Bool {
    var directory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && directory.boolValue
}

/// The folders inside a folder, in order, without hidden ones.
func subfolders(_ path: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { !isHidden($0) && isDirectory(join(path, $0)) }.sorted()
}

func isFile(_ path: String) -> Bool {
    var directory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && !directory.boolValue
}
