/// The size at which networks see images: in training, validation, evaluation, prediction and in an exported model.
public struct ImageScaling: Hashable, Sendable {
    /// The factor that both sides are multiplied by.
    public var factor: Double
    /// What the longer side is brought to instead, whatever it was; nil leaves it to the factor.
    public var longerSide: Int?

    /// Scaling by a factor, or to a longer side.
    public init(factor: Double = 1, longerSide: Int? = nil) {
        precondition(factor > 0 && (longerSide ?? 1) > 0, "resizing by \(factor), to \(longerSide ?? 0)")
        self.factor = factor
        self.longerSide = longerSide
    }

    /// Whether every image keeps its size.
    public var isIdentity: Bool { factor == 1 && longerSide == nil }

    /// The size at which an image is seen: rounded, one pixel at least.
    public func size(width: Int, height: Int) -> (width: Int, height: Int) {
        let factor = longerSide.map { Double($0) / Double(max(width, height)) } ?? factor
        return (scaled(width, by: factor), scaled(height, by: factor))
    }
}
