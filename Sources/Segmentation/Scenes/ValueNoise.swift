/// Smooth random fields over the plane, the same for the same seed.
struct ValueNoise: Sendable {
    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    /// A value from 0 to 1 at a point; neighbouring lattice points (1 apart) are independent.
    func callAsFunction(_ x: Double, _ y: Double) -> Double {
        let (left, top) = (x.rounded(.down), y.rounded(.down))
        let (column, row) = (Int(clamping: left), Int(clamping: top))
        let (shareX, shareY) = (smooth(x - left), smooth(y - top))
        let upper = mix(lattice(column, row), lattice(column + 1, row), shareX)
        let lower = mix(lattice(column, row + 1), lattice(column + 1, row + 1), shareX)
        return mix(upper, lower, shareY)
    }

    /// Noise of several sizes on top of each other, each half as large and half as strong as the one before.
    func fractal(_ x: Double, _ y: Double, octaves: Int) -> Double {
        var (sum, weight, scale) = (0.0, 0.5, 1.0)
        for octave in 0..<octaves {
            sum += weight * self(x * scale + Double(octave) * 17.3, y * scale - Double(octave) * 9.1)
            weight /= 2
            scale *= 2
        }
        return sum / (1 - 2 * weight)
    }

    private func lattice(_ x: Int, _ y: Int) -> Double {
        var bits = seed ^ UInt64(truncatingIfNeeded: x) &* 0x9E37_79B9_7F4A_7C15
        bits ^= UInt64(truncatingIfNeeded: y) &* 0xC2B2_AE3D_27D4_EB4F
        bits = (bits ^ (bits >> 29)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 32)) &* 0x94D0_49BB_1331_11EB
        return Double(bits >> 40) * 0x1p-24
    }

    private func smooth(_ share: Double) -> Double { share * share * (3 - 2 * share) }
}

/// A value between two others.
func mix(_ first: Double, _ second: Double, _ share: Double) -> Double { first + (second - first) * share }

/// A colour between two others.
func mix(_ first: SIMD3<Double>, _ second: SIMD3<Double>, _ share: Double) -> SIMD3<Double> {
    first + (second - first) * share
}
