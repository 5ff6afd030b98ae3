import Foundation

/// Random changes of colour, each up to a bound; 0 is off.
public struct ColorJitter: Hashable, Sendable {
    /// Brightness is multiplied by up to 1 more or less than this.
    public var brightness = 0.0
    /// Distances from middle grey are multiplied by up to 1 more or less than this.
    public var contrast = 0.0
    /// Distances from the pixel's own grey are multiplied by up to 1 more or less than this.
    public var saturation = 0.0
    /// Colours are turned about the grey axis by up to this share of a full turn.
    public var hue = 0.0

    /// All off.
    public init() {}

    /// Draws one change: four draws, whatever is on.
    func draw(_ random: inout RandomStream) -> ColorTransform {
        func factor(_ bound: Double) -> Double { 1 + random.uniform(-bound, bound) }
        let (brightness, contrast, saturation) = (factor(brightness), factor(contrast), factor(saturation))
        return ColorTransform(
            brightness: brightness, contrast: contrast, saturation: saturation,
            turn: random.uniform(-hue, hue))
    }
}

/// An affine map of normalised colours, -1 to 1, clamped to them.
public struct ColorTransform: Hashable, Sendable {
    /// Three rows of red, green and blue.
    private let rows: [SIMD3<Float>]
    private let offset: Float

    /// Hue, saturation, contrast and brightness, in this order.
    init(brightness: Double, contrast: Double, saturation: Double, turn: Double) {
        // A rotation about the axis (1, 1, 1) leaves greys alone.
        let (cosine, sine) = (cos(2 * .pi * turn), sin(2 * .pi * turn))
        let (mean, part) = ((1 - cosine) / 3, sine / 3.0.squareRoot())
        let rotation = (0..<3).map { row in
            (0..<3).map { column in
                row == column ? cosine + mean : (column == (row + 2) % 3 ? mean + part : mean - part)
            }
        }
        let weights = [0.299, 0.587, 0.114]
        // Saturation blends each channel with the grey of the turned colour.
        let grey = (0..<3).map { column in (0..<3).reduce(0) { $0 + weights[$1] * rotation[$1][column] } }
        let scale = contrast * brightness
        rows = rotation.map { row in
            let values = (0..<3).map { Float(scale * (saturation * row[$0] + (1 - saturation) * grey[$0])) }
            return SIMD3(values[0], values[1], values[2])
        }
        // Brightness multiplies 0 to 1, which is (x + 1) / 2 here; contrast is about 0, which is middle grey.
        offset = Float(brightness - 1)
    }

    /// The new colour.
    @inline(__always)
    func callAsFunction(_ color: SIMD3<Float>) -> SIMD3<Float> {
        let value = SIMD3((rows[0] * color).sum(), (rows[1] * color).sum(), (rows[2] * color).sum()) + offset
        return value.clamped(lowerBound: SIMD3(repeating: -1), upperBound: SIMD3(repeating: 1))
    }
}
