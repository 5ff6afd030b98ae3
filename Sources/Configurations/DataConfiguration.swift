import Datasets

/// Images and masks: where they are and how they are laid out.
public struct DataConfiguration: Encodable, Equatable, Sendable {
    /// Folder of the data set; a relative path starts at the current folder, an empty one is not given.
    public var root = ""
    /// Layout of the folder.
    public var format = DataFormat.auto
    /// Names of the classes, from a file or written out; by neither, the data's own.
    public var classes = ClassConfiguration()
    /// Form of the masks.
    public var masks = MaskForm.auto
    /// What the numbers in the masks mean beyond the classes.
    public var labels = LabelConfiguration()
    /// Names of the splits; several are joined by `+`.
    public var splits = SplitConfiguration()
    /// Threads that decode and augment ahead of the training.
    public var workers = 1
    /// Bound of the cache of decoded images, in megabytes; 0 decodes each image anew.
    public var cacheMegabytes = 512
    /// Lets list files name files outside of the folder, by `..`, by links or by absolute paths.
    public var allowOutsideRoot = false
    /// Brings the longer side of every image to so many pixels, always; 0 leaves it (paper 5.2: 513 on ADE20K).
    public var longerSide = 0
    /// Largest image that is decoded, in millions of pixels; `tiles` takes forty times as many.
    public var megapixels = 100
    /// Values of images with more than 8 bits a sample that become black and white, as `[0, 4095]`; none are found out
    /// from the training images, and kept with the network.
    public var range: [Int] = []
    /// Samples of a pixel in the images; 3 are colours, whatever the files have, and for other numbers every file must
    /// have as many.
    public var channels = 3
    /// Channels, from 0, that pictures show as red, green and blue, or one as grey; none shows the first three.
    public var shown: [Int] = []
    /// How the layout `tiles` cuts its images.
    public var tiles = TilesConfiguration()
    /// Labelled pixels that an image of the layout `coco` needs in order to count; 0 keeps all (DeepLab's protocol for
    /// VOC's classes: 1000).
    public var minimumLabelledPixels = 0

    /// The defaults.
    public init() {}
}

/// Layout of a data set's folder.
public enum DataFormat: String, Encodable, CaseIterable, Sendable {
    /// Found out from what the folder holds.
    case auto
    /// `images/` and `masks/` with equal names.
    case folders
    /// Text files with lines of `image mask`.
    case list
    /// `leftImg8bit/` and `gtFine/`.
    case cityscapes
    /// `JPEGImages/`, `SegmentationClass/` and `ImageSets/`.
    case voc
    /// `images/` and `annotations/` of the scene-parsing challenge.
    case ade20k
    /// `annotations/instances_*.json`, or what other tools call it, and folders of images.
    case coco
    /// Roboflow's mask export: images, masks and `_classes.csv` in a folder for each split.
    case roboflow
    /// labelme: a JSON with outlines beside each image.
    case labelme
    /// Images and masks anywhere below the folder, told apart and paired by their names.
    case pairs
    /// As `folders`, for images too large to decode for every crop.
    case tiles
}

/// How the layout `tiles` cuts its images.
public struct TilesConfiguration: Encodable, Equatable, Sendable {
    /// Height and width of a tile in pixels.
    public var size = CropSize(height: 1_024, width: 1_024)
    /// The folder for decoded copies of compressed images; none is `.tiles` in the data set's folder.
    public var cache = ""

    /// The defaults.
    public init() {}
}

/// Names and colours of the classes; at most one of the three is given.
public struct ClassConfiguration: Encodable, Equatable, Sendable {
    /// A text file with a name, and perhaps a colour, a line; relative to the data set's folder.
    public var file = ""
    /// The names, in the order of the labels.
    public var names: [String] = []
    /// The colours of the named classes as `#rrggbb`, which colour masks are read by; empty where they have none.
    public var colors: [String] = []
    /// A data set whose classes are built in.
    public var known = KnownClasses.none

    /// The defaults.
    public init() {}
}

/// What the numbers in the masks mean beyond the classes.
public struct LabelConfiguration: Encodable, Equatable, Sendable {
    /// Labels that neither teach nor count, besides 255: CamVid's void is 11.
    public var ignore: [Int] = []
    /// The class (or 255) that each of these labels stands for; all others stand for themselves.
    public var map: [Int: Int] = [:]

    /// The defaults.
    public init() {}
}

/// Names of the splits: folders, list files or list names, as the layout has it.
public struct SplitConfiguration: Encodable, Equatable, Sendable {
    /// Searched and trained on.
    public var train = "train"
    /// Measured during search and training.
    public var val = "val"
    /// Measured at the end.
    public var test = "test"
    /// A table with the columns `image` and `split` that says which image is of which split, in place of folders and
    /// lists; a relative path starts at the current folder.
    public var file = ""

    /// The defaults.
    public init() {}
}
