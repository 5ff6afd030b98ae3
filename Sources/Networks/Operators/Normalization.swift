import Torch

/// Settings that all batch normalisations of one part of a network share.
public struct Normalization: Sendable, Hashable {
    /// Whether there is a trained scale and shift.
    public var affine: Bool
    /// Added to the variance.
    public var eps: Double
    /// Share of the batch's statistics in each move of the running ones (1 - decay).
    public var momentum: Double

    /// Settings of one part.
    public init(affine: Bool, eps: Double, momentum: Double) {
        self.affine = affine
        self.eps = eps
        self.momentum = momentum
    }

    /// Makes one normalisation with these settings.
    func callAsFunction(_ path: Path, channels: Int) -> BatchNorm2d {
        BatchNorm2d(path, channels: channels, affine: affine, eps: eps, momentum: momentum)
    }
}
