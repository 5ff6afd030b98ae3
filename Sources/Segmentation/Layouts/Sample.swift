/// An image of a data set and, where it is labelled, its mask.
public struct Sample: Hashable, Codable, Sendable {
    /// What the sample is called in reports and in the names of predictions: its stem, unique within its split.
    public let name: String
    /// The image's path.
    public let image: String
    /// The mask's path; nil where there is none.
    public let mask: String?
    /// The part of both files that the sample is; nil for all of them.
    public var tile: Tile?
    /// Outlines that the mask is drawn from, `mask` naming the file they come from; nil where it is a picture.
    public var outlines: Outlines?

    /// Columns and rows of an image.
    public struct Size: Hashable, Codable, Sendable, CustomStringConvertible {
        /// Columns.
        public let width: Int
        /// Rows.
        public let height: Int

        /// So many columns and rows.
        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }

        /// Columns, an x, rows.
        public var description: String { "\(width)x\(height)" }
    }

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
