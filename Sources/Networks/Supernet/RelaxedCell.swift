import SearchSpace
import Torch

/// The cell as a weighted sum over all its edges and operators (paper 4.1, equations 1 to 5).
final class RelaxedCell {
    private let previous: StateOperators
    private let previous2: StateOperators
    private let blocks: [StateOperators]
    private let groups: Int
    private let secondGroups: Int

    /// - Parameters:
    ///   - path: Where the variables are named.
    ///   - channels: Channels C of a block.
    ///   - groups: Batches of H^{l-1} that come one after another, one for each arrow that shares this cell.
    ///   - secondGroups: Batches of H^{l-2}: as many, or one that they share, or two, of which the
    ///     last group has the last and the others share the first.
    ///   - device: Where alpha is.
    ///   - configuration: The supernet's shape.
    init(
        _ path: Path, channels: Int, groups: Int, secondGroups: Int = 1, device: Device,
        configuration: SupernetConfiguration
    ) {
        self.groups = groups
        self.secondGroups = secondGroups
        let space = CellSpace(blocks: configuration.blocks)
        func operators(on input: CellInput, groups: Int) -> StateOperators {
            StateOperators(
                path / input.name, edges: space.edges(from: input), channels: channels, groups: groups,
                device: device, configuration: configuration)
        }
        previous = operators(on: .previous, groups: groups)
        previous2 = operators(on: .previous2, groups: secondGroups)
        blocks = (1..<configuration.blocks).map { operators(on: .block($0), groups: groups) }
    }

    /// - Parameters:
    ///   - h1: H^{l-1} of all groups, `[G * N, C, H, W]`.
    ///   - h2: H^{l-2} of all its groups, `[S * N, C, H, W]`.
    ///   - alpha: Softmaxed weights `[edges, 8]`.
    ///   - mode: How to normalise.
    /// - Returns: The blocks in order, `[G * N, B * C, H, W]`.
    func callAsFunction(_ h1: Tensor, _ h2: Tensor, alpha: Tensor, mode: NormalizationMode) -> Tensor {
        // A block is complete when the state before it has given its part: sums run ahead of the blocks.
        let fromH2 = spread(previous2(h2, alpha: alpha, base: nil, splits: false, mode: mode).rest)
        var sum = previous(h1, alpha: alpha, base: fromH2, splits: true, mode: mode)
        var finished = [sum.finished]
        for block in blocks {
            guard let state = finished.last ?? nil else { break }
            sum = block(state, alpha: alpha, base: sum.rest, splits: true, mode: mode)
            finished.append(sum.finished)
        }
        return concatenate(finished.compactMap { $0 }, dim: 1)
    }

    /// What the second inputs give to each group.
    private func spread(_ sums: Tensor?) -> Tensor? {
        guard let sums, secondGroups == 2, groups > 2 else { return sums }
        let images = sums.size(0) / 2
        let shared = Array(repeating: sums.narrow(0, start: 0, length: images), count: groups - 1)
        return concatenate(shared + [sums.narrow(0, start: images, length: images)], dim: 0)
    }

    /// A cell's own branches alone, of one group: `[N, B * C, H, W]`.
    func callAsFunction(
        only cell: Cell, _ h1: Tensor, _ h2: Tensor, group: Int, secondGroup: Int, mode: NormalizationMode
    ) -> Tensor {
        var outputs: [Tensor] = []
        for (index, block) in cell.blocks.enumerated() {
            let terms = block.branches.compactMap { branch -> Tensor? in
                let (operators, state) =
                    switch branch.input {
                    case .previous: (previous, h1)
                    case .previous2: (previous2, h2)
                    case .block(let number): (blocks[number - 1], outputs[number - 1])
                    }
                return operators(
                    only: branch.op, into: index + 1, of: state,
                    group: branch.input == .previous2 ? secondGroup : group, mode: mode)
            }
            outputs.append(
                terms.dropFirst().reduce(terms.first ?? Tensor.zeros(h1.shape, dtype: h1.dtype, device: h1.device)) {
                    $0 + $1
                })
        }
        return concatenate(outputs, dim: 1)
    }
}
