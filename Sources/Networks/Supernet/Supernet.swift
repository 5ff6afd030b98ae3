import SearchSpace
import Torch

/// The network that holds every cell and every path at once (paper 3 and 4.1).
///
/// Variables are named `architecture.alpha`, `architecture.beta`, `stem.N`, `layerL.sS.*` (there `fromS.entry`,
/// `entry2`, `cell.STATE.OPERATOR`) and `head.sS.*`.
public final class Supernet {
    /// What shapes the network.
    public let configuration: SupernetConfiguration
    /// Nodes and arrows.
    public let networkSpace: NetworkSpace
    /// Edges of the cell.
    public let cellSpace: CellSpace
    /// Alpha and beta.
    public let architecture: ArchitectureParameters
    /// What the backward pass computes anew.
    public var recompute = Recomputation.none
    /// Threads over which a layer's nodes are spread; the result does not depend on it.
    public var workers = 1

    private let stem: SupernetStem
    private let layers: [[Part<SupernetNode>]]
    private let heads: [(stride: Stride, part: Part<SearchHead>)]

    /// A module with the leaves that it owns.
    private struct Part<Module> {
        let module: Module
        let parameters: [Tensor]

        init(_ store: VariableStore, _ make: () -> Module) {
            let before = store.parameters.count
            module = make()
            parameters = store.parameters[before...].map(\.tensor)
        }
    }

    /// Makes all variables in `store`.
    public init(_ configuration: SupernetConfiguration, store: VariableStore) {
        self.configuration = configuration
        let networkSpace = NetworkSpace(layers: configuration.layers)
        let cellSpace = CellSpace(blocks: configuration.blocks)
        self.networkSpace = networkSpace
        self.cellSpace = cellSpace
        architecture = ArchitectureParameters(
            store.root / "architecture", cellSpace: cellSpace, networkSpace: networkSpace, device: store.device)
        stem = SupernetStem(store.root / "stem", configuration: configuration)
        layers = (1...configuration.layers).map { layer in
            networkSpace.strides(inLayer: layer).map { stride in
                Part(store) {
                    SupernetNode(
                        store.root / "layer\(layer)" / "s\(stride.rawValue)",
                        node: Node(layer: layer, stride: stride), space: networkSpace, device: store.device,
                        configuration: configuration)
                }
            }
        }
        heads = networkSpace.strides(inLayer: configuration.layers).map { stride in
            let path = store.root / "head" / "s\(stride.rawValue)"
            return (stride, Part(store) { SearchHead(path, stride: stride, configuration: configuration) })
        }
    }

    /// - Parameters:
    ///   - images: `[N, 3, H, W]`, values within ±1.
    ///   - mode: `training` in a weight step, `trainingFrozen` in an architecture step, `evaluation` else.
    /// - Returns: Logits `[N, classes, H, W]`.
    public func callAsFunction(_ images: Tensor, mode: NormalizationMode) -> Tensor {
        let height = images.size(2)
        let width = images.size(3)
        func size(_ stride: Int) -> (height: Int, width: Int) {
            (scaledSize(height, stride: stride), scaledSize(width, stride: stride))
        }
        let alpha = architecture.alphaProbabilities
        let beta = architecture.betaProbabilities
        let (half, quarter) = stem(images.channelsLast(), mode: mode)
        // Maps of the two layers before, by stride.
        var before2 = [2: half]
        var before = [4: quarter]
        for layer in layers {
            let blocks = layer.map { part in
                let node = part.module
                let count = node.arrows.count
                let inputs = node.arrows.map { map(before, $0.source.stride.rawValue) }
                let second = map(before2, node.second.stride)
                return GraphBlock(inputs: inputs + [second, alpha, beta], parameters: part.parameters) {
                    inputs, again in
                    [
                        node(
                            h1: Array(inputs[..<count]), h2: inputs[count], alpha: inputs[count + 1],
                            beta: inputs[count + 2], size: size(node.node.stride.rawValue),
                            mode: again && mode == .training ? .trainingFrozen : mode)
                    ]
                }
            }
            let outputs = runBlocks(blocks, recomputes: recompute == .cells, workers: workers)
            (before2, before) = (before, [:])
            for (part, output) in zip(layer, outputs) { before[part.module.node.stride.rawValue] = output[0] }
        }
        let heads = heads.map { stride, part in
            GraphBlock(inputs: [map(before, stride.rawValue)], parameters: part.parameters) { inputs, again in
                [
                    part.module(
                        inputs[0], height: height, width: width,
                        mode: again && mode == .training ? .trainingFrozen : mode)
                ]
            }
        }
        let maps = runBlocks(heads, recomputes: recompute == .cells, workers: workers).map { $0[0] }
        return maps.dropFirst().reduce(maps[0]) { $0 + $1 }
    }

    private func map(_ maps: [Int: Tensor], _ stride: Int) -> Tensor {
        guard let map = maps[stride] else { preconditionFailure("no map at stride \(stride)") }
        return map
    }
}
