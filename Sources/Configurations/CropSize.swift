/// Height and width in pixels; in a file a list of the two.
public struct CropSize: Encodable, Equatable, Sendable {
    /// Rows.
    public var height: Int
    /// Columns.
    public var width: Int

    /// A size of so many rows and columns.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Writes `[height, width]`.
    public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(height)
        try list.encode(width)
    }
}
