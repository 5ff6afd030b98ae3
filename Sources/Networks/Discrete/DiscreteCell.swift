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

    /// Drop path acts on every branch but skips (strided ones included) and those that give nothing.
    var isDroppable: Bool { branch.op != .skip && branch.op != .none }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in units { unit.fold() }
    }

    /// Applies the operator; nil where it gives nothing.
    func callAsFunction(_ input: SharedMap, size: MapSize, mode: NormalizationMode) -> Tensor? {
        if branch.op == .none { return nil }
        if branch.op.isPool { return input.pooled(by: branch.op, stride: stride) }
        guard let first = units.first else { return input.value }
        // A strided atrous convolution has stride 1 itself: its input is resized.
        let rectified = branch.op.isAtrous && stride > 1 ? input.rectified(at: size) : input.rectified
        return units.dropFirst().reduce(first(rectified: rectified, mode: mode)) {
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
    var droppableBranches: Int { blocks.joined().count { $0.isDroppable } }

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
        previous: SharedMap, previous2: SharedMap, image: MapSize, mode: NormalizationMode, masks: [Tensor] = []
    ) -> SharedMap {
        let entry = image.at(stride: layout.inputStride.rawValue)
        let size = image.at(stride: layout.stride.rawValue)
        func project(_ map: SharedMap, by projection: PreActivatedUnit?) -> SharedMap {
            let resized = map.resized(to: entry)
            return projection.map { SharedMap($0(rectified: resized.rectified, mode: mode)) } ?? resized
        }
        // Lazy, since a cell need not read both.
        lazy var projected = project(previous, by: previousProjection)
        lazy var projected2 = project(previous2, by: previous2Projection)
        var outputs: [SharedMap] = []
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
                guard branch.isDroppable, let mask = rest.popFirst() else { return term }
                return term.map { $0 * mask }
            }
            outputs.append(SharedMap(sum(terms, size: size, like: previous.value)))
        }
        return SharedMap(concatenate(outputs.map(\.value), dim: 1))
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
