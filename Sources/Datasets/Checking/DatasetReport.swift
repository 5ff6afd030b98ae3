/// What a check of a data set found: what `data check --json` writes.
public struct DatasetReport: Encodable, Equatable, Sendable {
    /// A split's part.
    public struct SplitReport: Encodable, Equatable, Sendable {
        /// Images, readable or not.
        public var images = 0
        /// Images without mask.
        public var unlabelled = 0
        /// Width and height of the smallest image, by pixels.
        public var smallest: [Int] = []
        /// Width and height of the largest image, by pixels.
        public var largest: [Int] = []
        /// Middle width and middle height.
        public var median: [Int] = []
        /// How many different sizes there are.
        public var sizes = 0
        /// Images by the samples of a pixel in their files: 1 is grey, 3 colour, 4 colour with alpha; where `data.channels` is
        /// not 3, by the channels that are read.
        public var channels: [String: Int] = [:]
    }

    /// A class's part, over all splits.
    public struct ClassReport: Encodable, Equatable, Sendable {
        /// The class's name.
        public var name: String
        /// Its pixels.
        public var pixels: Int
        /// Images that show it.
        public var images: Int
    }

    /// Something that must be mended before the data set can be used without surprises.
    public struct Problem: Encodable, Equatable, Sendable {
        /// The file or folder at fault.
        public var file: String
        /// What is wrong, and what to do.
        public var problem: String
        /// Whether nothing can be trained before it is mended; else results may mislead.
        public var stopsTraining: Bool

        /// A problem of a file.
        public init(file: String, problem: String, stopsTraining: Bool = true) {
            self.file = file
            self.problem = problem
            self.stopsTraining = stopsTraining
        }
    }

    /// Values to begin with, from the images' sizes, the classes' shares and the memory at hand.
    public struct Suggestion: Encodable, Equatable, Sendable {
        /// Height and width of a training crop: about the shorter side of the images, 32 n + 1, at most 513.
        public var crop: [Int] = []
        /// Crops in a training batch of the paper's smallest network (F = 20) that fit into the memory.
        public var trainBatch = 0
        /// Crops in a batch of the paper's search (12 layers, 5 blocks, F = 8) that fit; 0 where none does.
        public var searchBatch = 0
        /// Median frequency weights of the training masks: the median of the classes' shares over each one's, 0.1 to 10.
        public var classWeights: [Double] = []

        /// Nothing to suggest yet.
        public init() {}
    }

    /// The data set's folder.
    public var root: String
    /// How it lies there.
    public var layout: Layout
    /// What was found in each split.
    public var splits: [String: SplitReport] = [:]
    /// The splits in their usual order.
    public var order: [String] = []
    /// Pixels and images of each class, over all splits.
    public var classes: [ClassReport] = []
    /// Pixels labelled as ignored, over all splits.
    public var ignoredPixels = 0
    /// Mean of each channel, red, green and blue unless `data.channels` says otherwise, 0 to 255, over all splits.
    public var mean: [Double] = []
    /// Standard deviation of each channel.
    public var deviation: [Double] = []
    /// Values to begin with.
    public var suggestion = Suggestion()
    /// What must be mended.
    public var problems: [Problem] = []
    /// What should be known.
    public var notes: [String] = []

    init(root: String, layout: Layout) {
        self.root = root
        self.layout = layout
    }
}
