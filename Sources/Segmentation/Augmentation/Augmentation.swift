/// How a training crop is drawn from an image and its mask: scaled, cropped, padded and flipped, both alike.
public struct Augmentation: Hashable, Codable, Sendable {
    /// The scales to choose from, each equally likely; relative to the resized image.
    public var scales: [Double]
    /// The crop's rows.
    public var cropHeight: Int
    /// The crop's columns.
    public var cropWidth: Int
    /// Whether half of the crops are mirrored left to right.
    public var flip: Bool

    /// An augmentation of a list of scales.
    public init(cropHeight: Int, cropWidth: Int, scales: [Double] = [1], flip: Bool = true) {
        self.cropHeight = cropHeight
        self.cropWidth = cropWidth
        self.scales = scales
        self.flip = flip
    }

    /// The scales from `lower` to `upper`, both included, `step` apart: DeepLab's are 0.5 to 2 by 0.25.
    public static func scales(from lower: Double, to upper: Double, step: Double) -> [Double] {
        guard step > 0, upper > lower else { return [lower] }
        let count = Int(((upper - lower) / step + 1e-9).rounded(.down))
        return (0...count).map { lower + Double($0) * step }
    }

    /// Checks the settings; the error says which is wrong.
    public func validate() throws {
        func require(_ condition: Bool, _ problem: String) throws {
            guard condition else { throw DataError(file: "augmentation", problem: problem) }
        }
        try require(
            (1...8192).contains(cropHeight) && (1...8192).contains(cropWidth),
            "the crop is \(cropHeight)x\(cropWidth); each side must be from 1 to 8192")
        try require(!scales.isEmpty, "no scale is given; [1] leaves images as they are")
        for scale in scales {
            try require(scale >= 0.05 && scale <= 20, "the scale \(scale) is outside 0.05 to 20")
        }
    }

    /// One crop's random choices.
    public struct Choice: Hashable, Sendable {
        /// Size of the scaled image.
        public let height: Int
        /// Size of the scaled image.
        public let width: Int
        /// Row of the scaled image that the crop begins with; negative where the crop is padded above.
        public let top: Int
        /// Column of the scaled image that the crop begins with; negative where the crop is padded on the left.
        public let left: Int
        /// Whether the crop is mirrored.
        public let flipped: Bool
    }

    /// Draws the choices for an image of the given size.
    ///
    /// Always four draws in this order (scale, row, column, flip), whatever the settings are.
    public func choose(height: Int, width: Int, random: inout RandomStream) -> Choice {
        let scale = scales[random.below(scales.count)]
        let (newHeight, newWidth) = (scaled(height, by: scale), scaled(width, by: scale))
        func start(_ length: Int, crop: Int) -> Int {
            let room = length - crop
            let place = random.below(abs(room) + 1)
            return room >= 0 ? place : -place
        }
        let top = start(newHeight, crop: cropHeight)
        let left = start(newWidth, crop: cropWidth)
        let mirrored = random.below(2) == 1
        return Choice(height: newHeight, width: newWidth, top: top, left: left, flipped: flip && mirrored)
    }
}
