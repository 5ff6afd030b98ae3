import Foundation
import Images

/// Random changes of colour, each up to a bound; 0 is off.
///
/// Images of other than 3 channels have neither saturation nor hue: of all channels alike brightness changes, and contrast
/// about each channel's mean.
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

/// An affine map of normalised colours, -1 to 1, clamped to them; or of the channels of other images.
public struct ColorTransform: Hashable, Sendable {
    /// Three rows of red, green and blue.
    private let rows: [SIMD3<Float>]
    private let offset: Float
    /// Contrast and brightness together.
    private let scale: Float

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
        self.scale = Float(scale)
    }

    /// The new colour.
    @inline(__always)
    func callAsFunction(_ color: SIMD3<Float>) -> SIMD3<Float> {
        let value = SIMD3((rows[0] * color).sum(), (rows[1] * color).sum(), (rows[2] * color).sum()) + offset
        return value.clamped(lowerBound: SIMD3(repeating: -1), upperBound: SIMD3(repeating: 1))
    }

    /// The new values of channels that are normalised by some means and deviations, in place: with brightness b and
    /// contrast c a byte x becomes b (mean + c (x - mean)), and stays within 0 to 255.
    func apply(to pixels: UnsafeMutablePointer<Float>, count: Int, normalization: ChannelNormalization) {
        let channels = normalization.channels
        for (channel, (mean, deviation)) in zip(normalization.means, normalization.deviations).enumerated() {
            let shift = offset * Float(mean / deviation)
            let bounds = Float(-mean / deviation)...Float((255 - mean) / deviation)
            for place in stride(from: channel, to: count * channels, by: channels) {
                pixels[place] = min(max(scale * pixels[place] + shift, bounds.lowerBound), bounds.upperBound)
            }
        }
    }
}
