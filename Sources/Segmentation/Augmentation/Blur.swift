import Foundation

/// Blurs images of `height * width * channels` values in place by a Gauss function, in either direction by itself; edges
/// are continued outwards.
func gaussianBlur(
    _ pixels: UnsafeMutablePointer<Float>, height: Int, width: Int, channels: Int, deviation: Double
) {
    let radius = Int(clamping: (3 * deviation).rounded(.up))
    guard radius > 0 else { return }
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
    let sum = weights.reduce(0, +)
    let kernel = weights.map { Float($0 / sum) }
    // Three channels at a time; where there are fewer, what is computed besides is not used.
    var line = [Float](repeating: 0, count: max(height, width) * 3)
    /// Blurs up to three channels of `count` pixels that lie `step` values apart.
    func run(_ start: UnsafeMutablePointer<Float>, count: Int, step: Int, lanes: Int) {
        for index in 0..<count {
            for channel in 0..<lanes { line[index * 3 + channel] = start[index * step + channel] }
        }
        for index in 0..<count {
            var total = SIMD3<Float>()
            for (tap, weight) in kernel.enumerated() {
                let place = min(max(index + tap - radius, 0), count - 1) * 3
                total += weight * SIMD3(line[place], line[place + 1], line[place + 2])
            }
            for channel in 0..<lanes { start[index * step + channel] = total[channel] }
        }
    }
    for first in stride(from: 0, to: channels, by: 3) {
        let lanes = min(3, channels - first)
        for row in 0..<height {
            run(pixels + row * width * channels + first, count: width, step: channels, lanes: lanes)
        }
        for column in 0..<width {
            run(pixels + column * channels + first, count: height, step: width * channels, lanes: lanes)
        }
    }
}
