import Torch

/// The largest difference of two tensors.
func difference(_ a: Tensor, _ b: Tensor) -> Double {
    guard a.shape == b.shape else { return .infinity }
    return zip(a.doubles(), b.doubles()).map { abs($0 - $1) }.max() ?? 0
}

/// Whether numbers are equal to rounding.
func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-12) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
}
