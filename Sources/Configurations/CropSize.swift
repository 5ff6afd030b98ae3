/// Height and width in pixels; in a file a list of the two.
public struct CropSize: Codable, Equatable, Sendable {
    /// Rows.
    public var height: Int
    /// Columns.
    public var width: Int

    /// A size of so many rows and columns.
    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Reads `[height, width]`.
    public init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        height = try list.decode(Int.self)
        width = try list.decode(Int.self)
    }

    /// Writes `[height, width]`.
    public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(height)
        try list.encode(width)
    }
}
