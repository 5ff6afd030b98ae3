import Images

/// A picture in the making: several samples to a pixel, each with colour, class and distance.
struct Canvas {
    /// Samples to a pixel in each direction.
    static let samples = 3

    let width: Int
    let height: Int
    private(set) var colors: [SIMD3<Double>]
    private(set) var labels: [UInt8]
    private var depths: [Double]

    /// Fills every sample; `paint` gets its place in pixels and gives colour, class and distance.
    init(width: Int, height: Int, paint: (_ x: Double, _ y: Double) -> (SIMD3<Double>, SceneClass, Double)) {
        self.width = width
        self.height = height
        let count = width * height * Self.samples * Self.samples
        colors = []
        labels = []
        depths = []
        colors.reserveCapacity(count)
        labels.reserveCapacity(count)
        depths.reserveCapacity(count)
        for row in 0..<height * Self.samples {
            for column in 0..<width * Self.samples {
                let (color, label, depth) = paint(Self.place(column), Self.place(row))
                colors.append(color)
                labels.append(label.rawValue)
                depths.append(depth)
            }
        }
    }

    private static func place(_ sample: Int) -> Double { (Double(sample) + 0.5) / Double(samples) }

    /// Paints an object that stands at one distance: only samples inside the rectangle that show something farther
    /// away, and where `paint` gives a colour.
    mutating func draw(
        _ label: SceneClass, depth: Double, x: ClosedRange<Double>, y: ClosedRange<Double>,
        paint: (_ x: Double, _ y: Double) -> SIMD3<Double>?
    ) {
        guard let columns = range(x, limit: width), let rows = range(y, limit: height) else { return }
        for row in rows {
            for column in columns {
                let index = row * width * Self.samples + column
                guard depths[index] > depth, let color = paint(Self.place(column), Self.place(row)) else { continue }
                colors[index] = color
                labels[index] = label.rawValue
                depths[index] = depth
            }
        }
    }

    private func range(_ interval: ClosedRange<Double>, limit: Int) -> Range<Int>? {
        let scale = Double(Self.samples)
        let lower = max(interval.lowerBound, 0) * scale
        let upper = min(interval.upperBound, Double(limit)) * scale
        guard lower < upper else { return nil }
        return Int(clamping: lower)..<min(Int(clamping: upper.rounded(.up)), limit * Self.samples)
    }

    /// The mean colour of each pixel, and the class that most of it shows; thin things count double, or they would
    /// vanish from the mask before they vanish from the image.
    func resolve(finish: (_ x: Int, _ y: Int, _ color: SIMD3<Double>) -> SIMD3<Double>) -> (Image, Mask) {
        var image = Image(width: width, height: height)
        var mask = Mask(width: width, height: height, label: 0)
        let area = Double(Self.samples * Self.samples)
        for y in 0..<height {
            for x in 0..<width {
                var sum = SIMD3<Double>.zero
                var votes = [Int](repeating: 0, count: SceneClass.allCases.count)
                for row in 0..<Self.samples {
                    for column in 0..<Self.samples {
                        let index = (y * Self.samples + row) * width * Self.samples + x * Self.samples + column
                        sum += colors[index]
                        votes[Int(labels[index])] += labels[index] == SceneClass.pole.rawValue ? 2 : 1
                    }
                }
                let color = finish(x, y, sum / area).clamped(lowerBound: .zero, upperBound: .one) * 255
                image[x, y] = Color(
                    UInt8(clamping: color.x.rounded()), UInt8(clamping: color.y.rounded()),
                    UInt8(clamping: color.z.rounded()))
                mask[x, y] = UInt8(votes.indices.max { (votes[$0], $1) < (votes[$1], $0) } ?? 0)
            }
        }
        return (image, mask)
    }
}
