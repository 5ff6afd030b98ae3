import Images

/// How a training crop is drawn from an image and its mask: scaled, cropped, padded and flipped, both alike.
public struct Augmentation: Hashable, Sendable {
    /// The scales to choose from, each equally likely; relative to the resized image.
    public var scales: [Double]
    /// The crop's rows.
    public var cropHeight: Int
    /// The crop's columns.
    public var cropWidth: Int
    /// Whether half of the crops are mirrored left to right.
    public var flip: Bool
    /// The largest share that one class may have of a crop's labelled pixels: other places are drawn, ten times at
    /// most, while it has more; 1 takes the first.
    public var maximumClassShare = 1.0
    /// Changes of colour.
    public var color = ColorJitter()
    /// The strongest blur, as the standard deviation of a Gauss function in pixels, of which half of the crops get a
    /// random part; 0 is off.
    public var blur = 0.0
    /// The largest rotation in degrees, to either side; 0 is off.
    public var rotation = 0.0

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
        let count = Int(clamping: ((upper - lower) / step + 1e-9).rounded(.down))
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
        try require((0...1).contains(maximumClassShare), "the class share \(maximumClassShare) is outside 0 to 1")
        try require((0...20).contains(blur), "the blur \(blur) is outside 0 to 20")
        try require((0...180).contains(rotation), "the rotation \(rotation) is outside 0 to 180")
        for (name, value) in [
            ("brightness", color.brightness), ("contrast", color.contrast), ("saturation", color.saturation),
            ("hue", color.hue),
        ] {
            try require((0...1).contains(value), "the change of \(name), \(value), is outside 0 to 1")
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
        /// Degrees by which the image is turned about the crop's centre, counterclockwise.
        public var rotation = 0.0
        /// What becomes of colours; nil leaves them.
        public var color: ColorTransform?
        /// Standard deviation of the blur in pixels; 0 for none.
        public var blur = 0.0
    }

    /// Draws all choices for an image with its labels.
    ///
    /// What is off draws nothing, and what is on draws behind all that is listed before it: scale, place and flip,
    /// again for each place that is refused, rotation, colour, blur.
    public func choose(for mask: Mask, random: inout RandomStream) -> Choice {
        var choice = choose(height: mask.height, width: mask.width, random: &random)
        if maximumClassShare < 1 {
            for _ in 0..<9 where largestShare(choice, mask) > maximumClassShare {
                choice = choose(height: mask.height, width: mask.width, random: &random)
            }
        }
        if rotation > 0 { choice.rotation = random.uniform(-rotation, rotation) }
        if color != ColorJitter() { choice.color = color.draw(&random) }
        if blur > 0 {
            let isBlurred = random.below(2) == 1
            let deviation = random.uniform(0, blur)
            choice.blur = isBlurred ? deviation : 0
        }
        return choice
    }

    /// The largest class's share of the labelled pixels in a crop, which is not yet turned.
    private func largestShare(_ choice: Choice, _ mask: Mask) -> Double {
        var counts = [Int](repeating: 0, count: 256)
        let columns = max(choice.left, 0)..<min(choice.left + cropWidth, choice.width)
        let sources = columns.map { nearestPixel($0, source: mask.width, resized: choice.width) }
        for row in max(choice.top, 0)..<min(choice.top + cropHeight, choice.height) {
            let start = nearestPixel(row, source: mask.height, resized: choice.height) * mask.width
            for source in sources { counts[Int(mask.labels[start + source])] += 1 }
        }
        let labelled = counts.dropLast()
        let total = labelled.reduce(0, +)
        return total == 0 ? 0 : Double(labelled.max() ?? 0) / Double(total)
    }

    /// Draws scale, place and flip for an image of the given size.
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
