import SearchSpace
import Torch

/// The network that holds every cell and every path at once (paper 3 and 4.1).
///
/// Variables are named `stem.N` (on an encoder's blocks `encoder.*` and `stem.adapterS`), `layerL.sS.*` (there `fromS.entry`,
/// `fromS.longSkip`, `entry2`, `cell.STATE.OPERATOR`) and `head.sS.*`.
public final class Supernet {
    /// What shapes the network.
    public let configuration: SupernetConfiguration
    /// Nodes and arrows.
    public let networkSpace: NetworkSpace
    /// Edges of the cell.
    public let cellSpace: CellSpace
    /// What the backward pass computes anew.
    public var recompute = Recomputation.none
    /// Threads over which a layer's nodes are spread; the result does not depend on it.
    public var workers = 1
    /// What a pass does with the encoder of the stem, where it has one.
    public var encoderTraining = EncoderTraining.frozen

    let stem: SupernetStem
    private let longSkips: LongSkipWeights?
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
        self.networkSpace = networkSpace
        cellSpace = CellSpace(blocks: configuration.blocks)
        longSkips =
            configuration.longSkips && !networkSpace.longSkipGates.isEmpty
            ? LongSkipWeights(networkSpace, dtype: store.dtype, device: store.device) : nil
        stem = SupernetStem(store.root, configuration: configuration)
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
    ///   - images: `[N, channels, H, W]`, normalised; colours within ±1.
    ///   - weights: How strongly operators and arrows count.
    ///   - mode: `training` in a weight step, `batchStatistics` in an architecture step, `evaluation` else.
    /// - Returns: Logits `[N, classes, H, W]`.
    public func callAsFunction(
        _ images: Tensor, weights: ArchitectureWeights, mode: NormalizationMode
    ) -> Tensor {
        let height = images.size(2)
        let width = images.size(3)
        let shares = Shares(
            alpha: weights.operators, beta: weights.arrows,
            longSkips: longSkips.map { longSkips in
                guard let gates = weights.gates else {
                    preconditionFailure("long skips without weights of their gates")
                }
                return longSkips(arrows: weights.probabilities, open: gates)
            }, probabilities: configuration.resizesPrevious ? weights.probabilities : nil)
        let (half, quarter) = stem(images.channelsLast(), mode: mode, training: encoderTraining)
        var maps = PreviousFeatures(half: half, quarter: quarter, keepsAll: longSkips != nil)
        for segment in segments {
            let pass = { (maps: PreviousFeatures, shares: Shares, mode: NormalizationMode) in
                self.run(segment, from: maps, shares: shares, height: height, width: width, mode: mode)
            }
            maps =
                recompute == .layers
                ? recomputed(segment, from: maps, shares: shares, mode: mode, pass) : pass(maps, shares, mode)
        }
        let heads = heads.map { stride, part in
            CheckpointedRegion(inputs: [maps.last(at: stride.rawValue)], parameters: part.parameters) {
                inputs, isRecomputing in
                [
                    part.module(
                        inputs[0], height: height, width: width,
                        mode: isRecomputing ? mode.repeated : mode)
                ]
            }
        }
        let scores = runRegions(heads, recomputes: recompute != .none, workers: workers).map { $0[0] }
        return scores.dropFirst().reduce(scores[0]) { $0 + $1 }
    }

    /// The encoder that the stem consists of; nil in the paper's.
    public var encoder: ImageEncoder? {
        guard case .encoder(let stem) = stem else { return nil }
        return stem.encoder
    }

    /// The node at a place.
    func node(_ place: Node) -> SupernetNode {
        guard let part = layers[place.layer - 1].first(where: { $0.module.node == place }) else {
            preconditionFailure("no \(place)")
        }
        return part.module
    }

    /// The strides that have a head.
    var headStrides: [Int] { heads.map(\.stride.rawValue) }

    /// The class maps of one stride, `[N, classes, height, width]`.
    func head(_ stride: Int, _ map: Tensor, height: Int, width: Int, mode: NormalizationMode) -> Tensor {
        guard let part = heads.first(where: { $0.stride.rawValue == stride })?.part else {
            preconditionFailure("no head at stride \(stride)")
        }
        return part.module(map, height: height, width: width, mode: mode)
    }

    /// The layers cut into as many runs as each has layers, so that the least is kept between and inside them.
    private var segments: [Range<Int>] {
        let length = Int(clamping: Double(layers.count).squareRoot().rounded(.up))
        return Swift.stride(from: 0, to: layers.count, by: length).map { $0..<min($0 + length, layers.count) }
    }

    /// What operators, arrows and long skips weigh in a pass.
    private struct Shares {
        let alpha: Tensor
        let beta: Tensor
        /// What ``LongSkipWeights`` gives; nil where there are none.
        let longSkips: Tensor?
        /// The arrows' probabilities where H^{l-2} is read by them; nil where it is not.
        let probabilities: Tensor?

        init(alpha: Tensor, beta: Tensor, longSkips: Tensor?, probabilities: Tensor?) {
            (self.alpha, self.beta, self.longSkips, self.probabilities) = (alpha, beta, longSkips, probabilities)
        }

        /// From tensors in the order of ``list``, of which there are those that another one has.
        init(_ list: some Collection<Tensor>, like other: Shares) {
            let list = Array(list)
            self.init(
                alpha: list[0], beta: list[1], longSkips: other.longSkips.map { _ in list[2] },
                probabilities: other.probabilities.map { _ in list[list.count - 1] })
        }

        var list: [Tensor] { [alpha, beta] + [longSkips, probabilities].compactMap { $0 } }
    }

    /// Runs some layers.
    private func run(
        _ segment: Range<Int>, from start: PreviousFeatures, shares: Shares, height: Int, width: Int,
        mode: NormalizationMode
    ) -> PreviousFeatures {
        let origins = shares.probabilities.map { PathOrigins($0, in: networkSpace) }
        func size(_ stride: Int) -> (height: Int, width: Int) {
            (scaledSize(height, stride: stride), scaledSize(width, stride: stride))
        }
        var maps = start
        for layer in layers[segment] {
            let regions = layer.map { part in
                let node = part.module
                let count = node.arrows.count
                let stride = node.node.stride.rawValue
                let inputs = node.arrows.map { maps.last(at: $0.source.stride.rawValue) }
                let seconds = node.seconds.map { maps.second(at: $0) }
                let skipped = node.gate.map { maps.maps(of: $0.sources, at: stride) } ?? []
                // What the node reads of what the whole network weighs.
                let read = Shares(
                    alpha: shares.alpha, beta: shares.beta, longSkips: node.gate == nil ? nil : shares.longSkips,
                    probabilities: origins?[node.node])
                let behind = count + seconds.count
                return CheckpointedRegion(
                    inputs: inputs + seconds + read.list + skipped, parameters: part.parameters
                ) { inputs, isRecomputing in
                    let own = Shares(inputs[behind...].prefix(read.list.count), like: read)
                    return [
                        node(
                            h1: Array(inputs[..<count]), h2: Array(inputs[count..<behind]), alpha: own.alpha,
                            beta: own.beta, origins: own.probabilities,
                            longSkip: own.longSkips.map { (Array(inputs.suffix(skipped.count)), $0) },
                            size: size(stride), mode: isRecomputing ? mode.repeated : mode)
                    ]
                }
            }
            let outputs = runRegions(regions, recomputes: recompute != .none, workers: workers)
            maps.append(
                Dictionary(
                    uniqueKeysWithValues: zip(layer, outputs).map { ($0.module.node.stride.rawValue, $1[0]) }))
        }
        return maps
    }

    /// Runs some layers of which only the maps that later ones read are kept; the backward pass runs them anew.
    private func recomputed(
        _ segment: Range<Int>, from start: PreviousFeatures, shares: Shares, mode: NormalizationMode,
        _ pass: @escaping (PreviousFeatures, Shares, NormalizationMode) -> PreviousFeatures
    ) -> PreviousFeatures {
        let keepsAll = longSkips != nil
        // Counted from 1. What was there before the segment need not go through it.
        let made = (keepsAll ? segment.lowerBound + 1 : segment.upperBound - 1)...segment.upperBound
        let earlier = keepsAll ? start.list(from: 0) : []
        let region = CheckpointedRegion(
            inputs: start.list + shares.list, parameters: layers[segment].joined().flatMap(\.parameters),
            outputCount: made.reduce(0) { $0 + ($1 < 1 ? 1 : layers[$1 - 1].count) }
        ) { [networkSpace] inputs, isRecomputing in
            pass(
                PreviousFeatures(
                    inputs.dropLast(shares.list.count), after: segment.lowerBound, in: networkSpace, keepsAll: keepsAll),
                Shares(inputs.suffix(shares.list.count), like: shares), isRecomputing ? mode.repeated : mode
            ).list(from: made.lowerBound)
        }
        return PreviousFeatures(
            earlier + runRegions([region], recomputes: true, workers: 0)[0], after: segment.upperBound,
            in: networkSpace,
            keepsAll: keepsAll)
    }
}

extension NormalizationMode {
    /// The mode of a second run of what has run before: statistics have moved already.
    fileprivate var repeated: NormalizationMode { self == .evaluation ? self : .batchStatistics }
}
