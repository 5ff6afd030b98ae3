import SearchSpace
import Torch

/// The operations of the parts that genotypes' networks are put together from, for an image of one size.
package struct NetworkParts {
    private let configuration: DiscreteConfiguration
    private let blocks: Int
    private let atrous: AtrousKind
    private let stem: StemKind
    private let height: Int
    private let width: Int

    /// - Parameters:
    ///   - configuration: What the networks have besides their genotypes.
    ///   - blocks: Blocks of a cell.
    ///   - atrous: How the atrous operators convolve.
    ///   - stem: What the cells begin on.
    ///   - height: The image's height.
    ///   - width: The image's width.
    package init(
        _ configuration: DiscreteConfiguration, blocks: Int, atrous: AtrousKind, stem: StemKind = .paper, height: Int,
        width: Int
    ) {
        self.configuration = configuration
        self.blocks = blocks
        self.atrous = atrous
        self.stem = stem
        self.height = height
        self.width = width
    }

    /// The stem's operations, and those behind the last cell, of any network with this path.
    package func ends(of path: [Stride]) -> (stem: [NetworkOperation], head: [NetworkOperation]) {
        let recorder = OperationRecorder(height: height, width: width)
        let network = DiscreteNetwork(genotype(path), configuration, store: VariableStore(shapesFor: .cpu))
        var (first, last) = (0, 0)
        let scores = network.scores(of: map(configuration.imageChannels, stride: 1), on: recorder) { layer, _ in
            if layer == 0 { first = recorder.operations.count }
            last = recorder.operations.count
        }
        _ = scores
        return (Array(recorder.operations[..<first]), Array(recorder.operations[last...]))
    }

    /// What a path's last cell does whatever its branches are.
    package func frame(ofLastCell path: [Stride]) -> [NetworkOperation] {
        let recorder = OperationRecorder(height: height, width: width)
        let (layout, cell) = lastCell(path)
        DiscreteCell(
            VariableStore(shapesFor: .cpu).root, cell, of: layout,
            normalization: configuration.backboneNormalization
        ).recordFrame(
            previous: map(cell.previousChannels, stride: cell.previousStride.rawValue),
            previous2: map(cell.previous2Channels, stride: cell.previous2Stride),
            output: map(cell.outputChannels, stride: cell.stride.rawValue), on: recorder)
        return recorder.operations
    }

    /// What a branch of a path's last cell does; the ReLU of what it reads is the cell's.
    package func branch(_ branch: Branch, ofLastCell path: [Stride]) -> [NetworkOperation] {
        let recorder = OperationRecorder(height: height, width: width)
        let (layout, cell) = lastCell(path)
        let isEntered = branch.input.isFromOtherLayer
        let state = CachedFeatureMap(
            map(cell.blockChannels, stride: isEntered ? cell.inputStride.rawValue : cell.stride.rawValue), on: recorder)
        _ = state.rectified
        let known = recorder.operations.count
        let operation = DiscreteBranch(
            VariableStore(shapesFor: .cpu).root, branch, in: cell, of: layout,
            normalization: configuration.backboneNormalization)
        _ = operation(reading: { _ in state }, on: recorder)
        return Array(recorder.operations[known...])
    }

    private func lastCell(_ path: [Stride]) -> (NetworkLayout, CellLayout) {
        let layout = configuration.layout(of: genotype(path))
        return (layout, layout.cells[layout.cells.count - 1])
    }

    /// A genotype whose cells compute nothing.
    private func genotype(_ path: [Stride]) -> Genotype {
        let branch = Branch(input: .previous, op: .none)
        return Genotype(
            path: path, cell: Cell(blocks: (0..<blocks).map { _ in Block(first: branch, second: branch) }),
            atrous: atrous, stem: stem)
    }

    private func map(_ channels: Int, stride: Int) -> MapShape {
        MapShape(
            channels: channels, height: scaledSize(height, stride: stride), width: scaledSize(width, stride: stride))
    }
}
