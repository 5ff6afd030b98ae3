import Networks
import SearchSpace
import Torch

/// What the network costs on average that the architecture's weights describe, when arrows and branches are drawn by them.
///
/// A path is drawn arrow by arrow, by beta. A block draws its two branches among all its edges and operators but `none`, by
/// alpha. The cost of a network is a sum over its operations, so its mean is a sum over pairs of arrows that follow one
/// another, of how likely the pair is times what its cell costs. For weights that are all 0 or 1 it is the cost of the one
/// network that they say.
public struct ExpectedCost {
    /// What a layer's cells cost.
    private struct Layer {
        /// The layer's arrows among all.
        let first: Int
        let count: Int
        /// The place of each arrow's source among the nodes of the layer before.
        let sources: Tensor
        /// A one for each arrow's target, `[arrows, nodes]`.
        let targets: Tensor
        /// For each arrow of the layer before and each of this one what a cell costs whatever its branches are,
        /// `[arrows before, arrows]`; a single row for the first layer.
        var frames: Tensor
        /// The place of each arrow's kind of cell.
        let kinds: Tensor
    }

    private var stem: Tensor
    private var layers: [Layer]
    /// What each operator costs on each edge, `[kinds of cells, edges * 8]`.
    private var branches: Tensor
    /// Ones where an edge and operator belong to a block and are not `none`, `[edges * 8, blocks]`.
    private let blocks: Tensor
    /// What follows the last cell, by its stride, `[nodes, 1]`, of a path whose first layer is at 4.
    private var heads: Tensor
    /// How much more that is where the first layer is at 8.
    private var headStep: Tensor
    private let firstDown: Int?

    /// - Parameters:
    ///   - supernet: What is searched.
    ///   - network: What the searched network has besides its genotype.
    ///   - height: Height of the image that costs are counted for.
    ///   - width: Its width.
    ///   - device: Where the weights are.
    ///   - dtype: The weights' kind.
    ///   - prepare: Called once with all operations that have a price, before the first is asked for.
    ///   - price: What an operation costs.
    package init(
        _ supernet: SupernetConfiguration, network: DiscreteConfiguration, height: Int, width: Int, device: Device,
        dtype: DType = .float32, prepare: ([NetworkOperation]) throws -> Void,
        price: (NetworkOperation) throws -> Double
    ) rethrows {
        let space = NetworkSpace(layers: supernet.layers)
        let cells = CellSpace(blocks: supernet.blocks)
        let operators = SearchSpace.Operator.allCases
        let parts = NetworkParts(
            network, blocks: supernet.blocks, atrous: supernet.atrous, stem: supernet.stem, height: height, width: width
        )
        func tensor(_ values: [Double], _ shape: [Int]) -> Tensor {
            Tensor(values, shape: shape).to(dtype).to(device)
        }
        func places(_ values: [Int]) -> Tensor {
            Tensor(values.map { Int64($0) }, shape: [values.count], device: device)
        }

        // Everything is listed before it is priced, so that what has to be measured is measured at once.
        var kinds: [Kind: (place: Int, path: [Stride])] = [:]
        var frames: [CellInputs: [NetworkOperation]] = [:]
        func frame(_ path: [Stride]) -> [NetworkOperation] {
            let key = CellInputs(([2, 4] + path.map(\.rawValue)).suffix(3), isFirst: path.count)
            if let known = frames[key] { return known }
            let operations = parts.frame(ofLastCell: path)
            frames[key] = operations
            return operations
        }
        typealias Listed = (arrows: [Arrow], before: [Arrow], frames: [[[NetworkOperation]]], kinds: [Int])
        var listed: [Listed] = []
        for number in 1...supernet.layers {
            let arrows = space.arrows.filter { $0.target.layer == number }
            let before = listed.last?.arrows ?? []
            let shortest = space.shortestPaths(to: number - 1)
            for arrow in arrows {
                let kind = Kind(stride: arrow.target.stride, move: arrow.move)
                if kinds[kind] == nil {
                    kinds[kind] = (kinds.count, (shortest[arrow.source] ?? []) + [arrow.target.stride])
                }
            }
            let rows: [[[NetworkOperation]]] =
                number == 1
                ? [arrows.map { frame([$0.target.stride]) }]
                : before.map { first in
                    let start = (space.shortestPaths(to: number - 2)[first.source] ?? []) + [first.target.stride]
                    return arrows.map { $0.source == first.target ? frame(start + [$0.target.stride]) : [] }
                }
            listed.append(
                (
                    arrows, before, rows,
                    arrows.map { kinds[Kind(stride: $0.target.stride, move: $0.move)]?.place ?? 0 }
                ))
        }
        let ordered = kinds.values.sorted { $0.place < $1.place }
        let branchLists = ordered.map { kind in
            [CellInput.previous, .block(1)].map { input in
                operators.map { parts.branch(Branch(input: input, op: $0), ofLastCell: kind.path) }
            }
        }
        let strides = space.strides(inLayer: supernet.layers)
        let ends = strides.map { stride in
            // Down to the last layer's stride at the end, so that the first layer is at 4 where there is more than one way.
            parts.ends(
                of: Array(repeating: .s4, count: supernet.layers - stride.level)
                    + Stride.allCases[1...].prefix(stride.level))
        }
        let down =
            supernet.layers > 1
            ? parts.ends(of: [.s8] + Array(repeating: .s4, count: supernet.layers - 1)).head : []
        try prepare(
            listed.flatMap { $0.frames.joined().joined() } + branchLists.joined().joined().joined()
                + ends.flatMap { $0.stem + $0.head } + down)

        func sum(_ operations: [NetworkOperation]) throws -> Double {
            try operations.reduce(0) { try $0 + price($1) }
        }
        stem = tensor([try sum(ends[0].stem)], [1])
        layers = try listed.enumerated().map { index, layer in
            let nodes = space.strides(inLayer: index + 1)
            let before = index == 0 ? [Stride.s4] : space.strides(inLayer: index)
            return Layer(
                first: layer.arrows[0].index, count: layer.arrows.count,
                sources: places(layer.arrows.map { before.firstIndex(of: $0.source.stride) ?? 0 }),
                targets: tensor(
                    layer.arrows.flatMap { arrow in nodes.map { arrow.target.stride == $0 ? 1 : 0 } },
                    [layer.arrows.count, nodes.count]),
                frames: tensor(
                    try layer.frames.joined().map { try sum($0) }, [layer.frames.count, layer.arrows.count]),
                kinds: places(layer.kinds))
        }
        let priced = try branchLists.map { try $0.map { try $0.map { try sum($0) } } }
        branches = tensor(
            priced.flatMap { kind in cells.edges.flatMap { kind[$0.input.isFromOtherLayer ? 0 : 1] } },
            [ordered.count, cells.edges.count * operators.count])
        blocks = tensor(
            cells.edges.flatMap { edge in
                operators.flatMap { op in
                    (1...supernet.blocks).map { $0 == edge.block && op != .none ? 1 : 0 }
                }
            }, [cells.edges.count * operators.count, supernet.blocks])
        let step = supernet.layers > 1 ? try sum(down) - sum(ends[0].head) : 0
        headStep = tensor([step], [1])
        heads = tensor(
            try zip(strides, ends).map { stride, end in
                // Of so few layers the only way down is by 8.
                try sum(end.head) - (stride.level == supernet.layers ? step : 0)
            }, [strides.count, 1])
        firstDown = supernet.layers > 1 ? space.arrows.first { $0.target == Node(layer: 1, stride: .s8) }?.index : nil
    }

    /// The mean cost, a scalar through which gradients reach the weights.
    public func callAsFunction(_ weights: ArchitectureWeights) -> Tensor {
        let alpha = weights.operators.reshape([1, -1])
        // Two branches a block, each a mean over what may be drawn.
        let mass = alpha.matmul(blocks) + 1e-12
        let cells = ((branches * alpha).matmul(blocks) / mass).sum([1]) * 2
        var reached = Tensor.full(1, [1], dtype: alpha.dtype, device: alpha.device)
        var flow: Tensor?
        var total = stem
        for layer in layers {
            let chosen = weights.arrows.narrow(0, start: layer.first, length: layer.count)
            let taken = reached.indexSelect(0, layer.sources) * chosen
            let own = (taken * cells.indexSelect(0, layer.kinds)).sum()
            let frame = flow.map { ($0.reshape([1, -1]).matmul(layer.frames).reshape([-1]) * chosen).sum() }
            total = total + own + (frame ?? (taken * layer.frames.reshape([-1])).sum())
            reached = taken.reshape([1, -1]).matmul(layer.targets).reshape([-1])
            flow = taken
        }
        total = total + reached.reshape([1, -1]).matmul(heads).reshape([-1])
        if let firstDown { total = total + weights.arrows.narrow(0, start: firstDown, length: 1) * headStep }
        return total.sum()
    }

    /// The same costs in all processes of a group: the sum of what each has, of whom but one have zeros.
    package var shared: ExpectedCost {
        var result = self
        func sum(_ tensor: inout Tensor) {
            let own = tensor
            tensor = allReduced { own.clone() }
        }
        sum(&result.stem)
        for index in result.layers.indices { sum(&result.layers[index].frames) }
        sum(&result.branches)
        sum(&result.heads)
        sum(&result.headStep)
        return result
    }

    /// What cells have in common whose operators cost the same.
    private struct Kind: Hashable {
        let stride: Stride
        let move: Move
    }

    /// What cells have in common that are entered alike.
    private struct CellInputs: Hashable {
        let strides: [Int]
        /// Behind the stem maps have other channels than behind a cell.
        let depth: Int

        init(_ strides: ArraySlice<Int>, isFirst layers: Int) {
            self.strides = Array(strides)
            depth = min(layers, 3)
        }
    }
}

extension NetworkSpace {
    /// A path to each node of a layer; none leads to the stem.
    fileprivate func shortestPaths(to layer: Int) -> [Node: [Stride]] {
        guard layer > 0 else { return [Node(layer: 0, stride: .s4): []] }
        let before = shortestPaths(to: layer - 1)
        var result: [Node: [Stride]] = [:]
        for arrow in arrows where arrow.target.layer == layer && result[arrow.target] == nil {
            result[arrow.target] = before[arrow.source].map { $0 + [arrow.target.stride] }
        }
        return result
    }
}

/// The expected cost in the architecture's loss, as a share of that of weights which have learnt nothing.
public struct PricePenalty: ArchitecturePenalty {
    private let cost: ExpectedCost
    private let factor: Double

    /// - Parameters:
    ///   - cost: The cost.
    ///   - weight: What the share is multiplied by.
    ///   - supernet: What is searched.
    ///   - device: Where the weights are.
    public init(_ cost: ExpectedCost, weight: Double, of supernet: SupernetConfiguration, device: Device) {
        self.cost = cost
        let even = ArchitectureSoftmax(supernet, device: device)(
            operators: .zeros(supernet.operatorShape, device: device),
            arrows: .zeros(supernet.arrowShape, device: device))
        factor = weight / max(withoutGradients { cost(even).item() }, 1e-300)
    }

    /// The weighed share.
    public func callAsFunction(_ weights: ArchitectureWeights, at step: SearchStep) -> Tensor { cost(weights) * factor }
}
