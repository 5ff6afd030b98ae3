import SearchSpace
import Torch

/// One operator with its own input, at the stride that the cell's move asks for.
final class DiscreteBranch {
    /// The operator and its input.
    let branch: Branch
    private let stride: Int
    private let units: [PreActivatedUnit]

    init(_ path: Path, _ branch: Branch, in cell: CellLayout, of network: NetworkLayout, normalization: Normalization) {
        self.branch = branch
        stride = cell.operatorStride(of: branch.input)
        units = PreActivatedUnit.units(
            path, network.convolutions(of: branch, in: cell), normalization: normalization)
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in units { unit.fold() }
    }

    /// Applies the operator; nil where it gives nothing.
    func callAsFunction(_ input: CachedFeatureMap, size: MapSize, mode: NormalizationMode) -> Tensor? {
        switch branch.op.form {
        case .none: return nil
        case .skip where units.isEmpty: return input.value
        case .pool(let pool, let kernel): return input.pooled(pool, kernelSize: kernel, stride: stride)
        // A strided atrous convolution has stride 1 itself: its input is resized.
        case .atrous where stride > 1: return convolve(input.rectified(at: size), mode: mode)
        case .separable, .atrous, .skip: return convolve(input.rectified, mode: mode)
        }
    }

    private func convolve(_ rectified: Tensor, mode: NormalizationMode) -> Tensor {
        units.dropFirst().reduce(units[0](rectified: rectified, mode: mode)) {
            $1(rectified: $0.relu(), mode: mode)
        }
    }
}

/// The cell of one layer (paper 3.1, in the discrete form of ALGORITHM 8).
final class DiscreteCell {
    /// What the cell reads and at which sizes it works.
    let layout: CellLayout
    private let previousProjection: PreActivatedUnit
    private let previous2Projection: PreActivatedUnit?
    private let blocks: [[DiscreteBranch]]

    init(_ path: Path, _ layout: CellLayout, of network: NetworkLayout, normalization: Normalization) {
        self.layout = layout
        previousProjection = PreActivatedUnit(
            path / "previous", [layout.previousProjection], normalization: normalization)
        previous2Projection = layout.previous2Projection.map {
            PreActivatedUnit(path / "previous2", [$0], normalization: normalization)
        }
        blocks = network.genotype.cell.blocks.enumerated().map { index, block in
            zip(["first", "second"], block.branches).map { name, branch in
                DiscreteBranch(
                    path / "block\(index + 1)" / name, branch, in: layout, of: network, normalization: normalization)
            }
        }
    }

    /// Number of branches that drop path acts on.
    var droppableBranches: Int { blocks.joined().count { $0.branch.op.isDroppable } }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in [previousProjection] + (previous2Projection.map { [$0] } ?? []) { unit.fold() }
        for branch in blocks.joined() { branch.fold() }
    }

    /// The cell's output `[N, B F s / 4, ceil(H / s), ceil(W / s)]`.
    ///
    /// - Parameters:
    ///   - previous: H^{l-1}, at its own size.
    ///   - previous2: H^{l-2}, at its own size.
    ///   - image: The image's size.
    ///   - mode: How batch normalisation behaves.
    ///   - masks: Factors `[N, 1, 1, 1]` of the branches that drop path acts on, in their order; none without.
    /// - Returns: The blocks, concatenated.
    func callAsFunction(
        previous: CachedFeatureMap, previous2: CachedFeatureMap, image: MapSize, mode: NormalizationMode,
        masks: [Tensor] = []
    ) -> CachedFeatureMap {
        let entry = image.at(stride: layout.inputStride.rawValue)
        let size = image.at(stride: layout.stride.rawValue)
        func project(_ map: CachedFeatureMap, by projection: PreActivatedUnit?) -> CachedFeatureMap {
            let resized = map.resized(to: entry)
            return projection.map { CachedFeatureMap($0(rectified: resized.rectified, mode: mode)) } ?? resized
        }
        // Lazy, since a cell need not read both.
        lazy var projected = project(previous, by: previousProjection)
        lazy var projected2 = project(previous2, by: previous2Projection)
        var outputs: [CachedFeatureMap] = []
        var rest = masks[...]
        for block in blocks {
            let terms = block.compactMap { branch -> Tensor? in
                guard branch.branch.op != .none else { return nil }
                let input =
                    switch branch.branch.input {
                    case .previous: projected
                    case .previous2: projected2
                    case .block(let number): outputs[number - 1]
                    }
                let term = branch(input, size: size, mode: mode)
                guard branch.branch.op.isDroppable, let mask = rest.popFirst() else { return term }
                return term.map { $0 * mask }
            }
            outputs.append(CachedFeatureMap(sum(terms, size: size, like: previous.value)))
        }
        return CachedFeatureMap(concatenate(outputs.map(\.value), dim: 1))
    }

    private func sum(_ terms: [Tensor], size: MapSize, like map: Tensor) -> Tensor {
        guard let first = terms.first else {
            return Tensor.zeros(
                [map.size(0), layout.blockChannels, size.height, size.width], dtype: map.dtype, device: map.device
            ).channelsLast()
        }
        return terms.dropFirst().reduce(first, +)
    }
}
