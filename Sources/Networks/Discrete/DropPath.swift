import Torch

/// Scheduled drop path (ALGORITHM 8): deeper cells lose branches more often, and the more so the further training is.
public struct DropPath: Hashable, Sendable {
    /// Probability that the last cell keeps a branch at the end of training.
    public let keep: Double
    /// Number of cells.
    public let cells: Int

    /// A schedule over these cells.
    public init(keep: Double, cells: Int) {
        precondition(keep > 0 && keep <= 1, "drop path keeps with a probability above 0 and up to 1, not \(keep)")
        self.keep = keep
        self.cells = cells
    }

    /// The probability that a cell keeps a branch.
    ///
    /// - Parameters:
    ///   - cell: The cell, counted from 0.
    ///   - progress: The share of all steps that is done, step / total.
    /// - Returns: 1 - min(1, progress) (1 - keep of the cell), keep of the cell = 1 - ((cell + 1) / cells) (1 - p).
    public func keep(inCell cell: Int, progress: Double) -> Double {
        let ofCell = 1 - Double(cell + 1) / Double(cells) * (1 - keep)
        return 1 - min(1, max(0, progress)) * (1 - ofCell)
    }

    /// Draws factors `[N, 1, 1, 1]` for the branches of a cell: 0, or 1 / keep, a sample each; none where all are kept.
    package func masks(
        inCell cell: Int, branches: Int, samples: Int, regularization: Regularization, like map: Tensor
    ) -> [Tensor] {
        let keep = keep(inCell: cell, progress: regularization.progress)
        guard keep < 1, branches > 0 else { return [] }
        let drawn = regularization.draw([branches, samples, 1, 1, 1], imagesAt: 1, probability: keep, like: map)
        let scaled = drawn / keep
        return (0..<branches).map { scaled.select(0, $0) }
    }
}

/// What one training step needs for drop path and dropout.
public struct Regularization {
    /// The share of all steps that is done, step / total.
    public let progress: Double
    /// Where the random numbers come from.
    public let generator: Generator

    /// Drop path at this point of training, with numbers from this stream.
    public init(progress: Double, generator: Generator) {
        self.progress = progress
        self.generator = generator
    }

    /// Sets values `[N, C, H, W]` to zero, each with probability 1 - keep, and divides the others by keep.
    package func dropout(_ x: Tensor, keep: Double) -> Tensor {
        guard keep < 1 else { return x }
        // Drawn in the order of memory that maps have, so that the product is one pass.
        let mask = draw([x.size(0), x.size(2), x.size(3), x.size(1)], imagesAt: 0, probability: keep, like: x)
        return x * (mask / keep).permute([0, 3, 1, 2])
    }

    /// Ones with a probability, else zeros, for the images of this process: its part of what one process would draw for
    /// the batch of the whole group, so that all draw alike.
    fileprivate func draw(_ shape: [Int], imagesAt dim: Int, probability: Double, like x: Tensor) -> Tensor {
        var whole = shape
        whole[dim] *= ProcessGroup.size
        let drawn = Tensor.bernoulli(
            whole, probability: probability, generator: generator, dtype: x.dtype, device: x.device)
        guard let group = ProcessGroup.current else { return drawn }
        return drawn.narrow(dim, start: group.rank * shape[dim], length: shape[dim])
    }
}
