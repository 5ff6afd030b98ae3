import Images

/// An image of a data set and, where it is labelled, its mask.
public struct Sample: Hashable, Sendable {
    /// What the sample is called in reports and in the names of predictions: its stem, unique within its split.
    public internal(set) var name: String
    /// The image's path; where it lies in several files, that of the first.
    public let image: String
    /// The paths of further files, whose channels follow those of the first.
    public var furtherImages: [String] = []
    /// The mask's path; nil where there is none.
    public let mask: String?
    /// The paths of further masks, one for each object: what is no background in any of them counts.
    public var furtherMasks: [String] = []
    /// The part of both files that the sample is; nil for all of them.
    public var tile: Tile?
    /// Outlines that the mask is drawn from, `mask` naming the file they come from; nil where it is a picture.
    public var outlines: Outlines?

    /// Columns and rows of an image.
    public struct Size: Hashable, Sendable, CustomStringConvertible {
        /// Columns.
        public let width: Int
        /// Rows.
        public let height: Int

        /// So many columns and rows.
        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }

        /// What a file says of an image, which may be one side alone: the other one is 0 then; nil where it says
        /// nothing.
        init?(named width: Int, _ height: Int) {
            guard width > 0 || height > 0 else { return nil }
            self.init(width: max(width, 0), height: max(height, 0))
        }

        /// Columns, an x, rows; `?` for a side that is not known.
        public var description: String { [width, height].map { $0 > 0 ? "\($0)" : "?" }.joined(separator: "x") }

        /// Whether an image of this size can have another one's, of which a side may not be known.
        func fits(_ other: Size) -> Bool {
            [(width, other.width), (height, other.height)].allSatisfy { $0 == $1 || $1 == 0 }
        }
    }

    /// The paths of all files of the image, in the order of their channels.
    public var imageFiles: [String] { [image] + furtherImages }

    /// The paths of all files of the mask.
    public var maskFiles: [String] { (mask.map { [$0] } ?? []) + furtherMasks }

    /// Pairs an image with its mask.
    public init(
        name: String, image: String, mask: String?, tile: Tile? = nil, outlines: Outlines? = nil
    ) {
        self.name = name
        self.image = image
        self.mask = mask
        self.tile = tile
        self.outlines = outlines
    }
}
