/// A part of an image and its mask.
public struct Tile: Hashable, Sendable {
    /// First column.
    public let x: Int
    /// First row.
    public let y: Int
    /// Columns.
    public let width: Int
    /// Rows.
    public let height: Int
    /// The folder for decoded copies.
    public let cache: String

    /// A part, and where decoded copies are kept.
    public init(x: Int, y: Int, width: Int, height: Int, cache: String) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        self.cache = cache
    }
}
