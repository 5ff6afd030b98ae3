import Foundation

/// Blurs colours of `height * width * 3` values in place by a Gauss function, in either direction by itself; edges are
/// continued outwards.
func gaussianBlur(_ pixels: UnsafeMutablePointer<Float>, height: Int, width: Int, deviation: Double) {
    let radius = Int(clamping: (3 * deviation).rounded(.up))
    guard radius > 0 else { return }
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
    let sum = weights.reduce(0, +)
    let kernel = weights.map { Float($0 / sum) }
    var line = [Float](repeating: 0, count: max(height, width) * 3)
    /// Blurs `count` colours that lie `step` values apart.
    func run(_ start: UnsafeMutablePointer<Float>, count: Int, step: Int) {
        for index in 0..<count {
            for channel in 0..<3 { line[index * 3 + channel] = start[index * step + channel] }
        }
        for index in 0..<count {
            var total = SIMD3<Float>()
            for (tap, weight) in kernel.enumerated() {
                let place = min(max(index + tap - radius, 0), count - 1) * 3
                total += weight * SIMD3(line[place], line[place + 1], line[place + 2])
            }
            for channel in 0..<3 { start[index * step + channel] = total[channel] }
        }
    }
    for row in 0..<height { run(pixels + row * width * 3, count: width, step: 3) }
    for column in 0..<width { run(pixels + column * 3, count: height, step: width * 3) }
}
