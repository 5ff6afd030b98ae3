import SearchSpace
import Torch

/// The segmentation network of a genotype (ALGORITHM 8): stem, cells, ASPP, decoder.
///
/// Its variables are named alike in memory and in files. `unit` stands for what a ReLU and a batch normalisation
/// enclose: `depthwise.weight` and `pointwise.weight`, or one of `dense.weight` and `pointwise.weight`. `norm` stands
/// for `weight`, `bias`, `runningMean` and `runningVariance`.
///
/// | name | what it is |
/// |---|---|
/// | `stem.1`, `stem.2`, `stem.3` + `.conv.weight`, `.norm` | the stem's convolutions |
/// | `encoder.stem`, `encoder.blocks.I` + as in ``ImageEncoder`` | in their place, an encoder's blocks up to stride 4 |
/// | `stem.adapter2`, `stem.adapter4` + `.conv.weight`, `.norm` | with them, 1x1 of the encoder's maps at strides 2 and 4 |
/// | `cells.L.previous` + unit, `.norm` | 1x1 of H^{l-1} in layer L, counted from 1 |
/// | `cells.L.previous2` + unit, `.norm` | 1x1 of H^{l-2} or a long skip's map, where its channels differ from the block's |
/// | `cells.L.blockI.first.U`, `cells.L.blockI.second.U` + unit, `.norm` | operators; separable ones have U = 1, 2 |
/// | `aspp.point`, `aspp.atrous1` to `3`, `aspp.image`, `aspp.projection` + `.conv.weight`, `.norm` | ASPP |
/// | `decoder.lowLevel`, `decoder.refine1`, `decoder.refine2` + `.conv.weight`, `.norm` | decoder |
/// | `decoder.finer2`, `decoder.finer1` + `.projection`, `.lowLevel`, `.refine` + the same | decoder at strides 2, 1 |
/// | `decoder.logits.weight`, `decoder.logits.bias` | class layer |
///
/// A separable head has `.depthwise` and `.pointwise` below its 3x3 convolutions' names; a plain one has the class layer
/// alone.
///
/// Maps lie channels last in memory from the first convolution to the scores.
public final class DiscreteNetwork {
    /// What the network consists of, as plain values.
    public let layout: NetworkLayout
    /// What it has besides its genotype.
    public let configuration: DiscreteConfiguration
    /// The network's variables.
    public let store: VariableStore
    /// How often branches are dropped in training.
    public let dropPath: DropPath

    /// The encoder that the stem consists of; nil in the paper's.
    public var encoder: ImageEncoder? { stem.encoder }

    private let stem: DiscreteStem
    private let cells: [DiscreteCell]
    private let aspp: ASPP?
    private let decoder: DiscreteDecoder?
    private let logits: Conv2d

    /// Builds the network, its variables drawn from the store's generator.
    ///
    /// - Parameters:
    ///   - genotype: A genotype that passes `validate()`.
    ///   - configuration: What the network has besides.
    ///   - store: An empty store.
    public init(_ genotype: Genotype, _ configuration: DiscreteConfiguration, store: VariableStore) {
        let layout = configuration.layout(of: genotype)
        let backbone = configuration.backboneNormalization
        let head = configuration.headNormalization
        self.layout = layout
        self.configuration = configuration
        self.store = store
        dropPath = DropPath(keep: configuration.dropPathKeep, cells: layout.cells.count)
        stem = DiscreteStem(store.root, layout, normalization: backbone)
        cells = layout.cells.map {
            DiscreteCell(store.root / "cells" / $0.layer, $0, of: layout, normalization: backbone)
        }
        aspp = layout.aspp.map {
            ASPP(
                store.root / "aspp",
                ASPP.Settings(
                    inputChannels: $0.inputChannels, channels: $0.channels, atrous: $0.atrous,
                    normalizesImagePooling: true, normalization: head, initializer: .glorotUniform))
        }
        decoder = layout.decoder.map { DiscreteDecoder(store.root / "decoder", $0, normalization: head) }
        logits = Conv2d(store.root / "decoder" / "logits", layout.logits, initializer: .truncatedNormal(0.01))
    }

    /// Folds batch normalisations into the convolutions before them, for passes in evaluation that follow.
    ///
    /// The variables stay as they are, for other modes too; after a change of theirs, fold anew.
    public func fold() {
        stem.fold()
        for cell in cells { cell.fold() }
        aspp?.fold()
        decoder?.fold()
    }

    /// Class scores `[N, classes, H, W]` of normalised images `[N, channels, H, W]`, colours by 2x / 255 - 1.
    ///
    /// - Parameters:
    ///   - images: The images, of any size from 33 pixels on.
    ///   - mode: How batch normalisation behaves.
    ///   - regularization: Drop path and dropout in a training step; nil for none.
    ///   - training: What the step does with an encoder in the stem.
    /// - Returns: The scores at the images' size, before any softmax.
    public func callAsFunction(
        _ images: Tensor, mode: NormalizationMode, regularization: Regularization? = nil,
        training: EncoderTraining = .whole
    ) -> Tensor {
        forward(images, mode: mode, regularization: regularization, training: training) { _, _ in }
    }

    /// Class scores in evaluation at the layout's `scoreStride` s, `[N, classes, ceil(H / s), ceil(W / s)]`.
    ///
    /// Resized bilinearly, with aligned corners, they are the scores that the network gives. Where classes are many and
    /// s is 4, these need a sixteenth of the memory.
    public func coarseScores(_ images: Tensor) -> Tensor {
        coarseScores(images, mode: .evaluation, regularization: nil, training: .whole) { _, _ in }
    }

    /// As ``callAsFunction(_:mode:regularization:training:)``; shows the stem's maps (layers -1 and 0) and every layer's output.
    package func forward(
        _ images: Tensor, mode: NormalizationMode, regularization: Regularization? = nil,
        training: EncoderTraining = .whole, observe: (_ layer: Int, _ map: Tensor) -> Void
    ) -> Tensor {
        MapSize(of: images).resize(
            coarseScores(images, mode: mode, regularization: regularization, training: training, observe: observe))
    }

    /// Class scores at the images' size, on any backend.
    package func scores<Backend: ForwardBackend>(
        of images: Backend.Map, on backend: Backend,
        observe: (_ layer: Int, _ map: Backend.Map) -> Void = { _, _ in }
    ) -> Backend.Map {
        backend.resize(coarseScores(of: images, on: backend, observe: observe), toStride: 1)
    }

    /// Class scores at the layout's stride, on any backend.
    func coarseScores<Backend: ForwardBackend>(
        of images: Backend.Map, on backend: Backend,
        observe: (_ layer: Int, _ map: Backend.Map) -> Void = { _, _ in }
    ) -> Backend.Map {
        let stem = stem.maps(of: images, on: backend) { $0.features(of: images, on: backend) }
        return coarseScores(of: images, stem: stem, on: backend, observe: observe)
    }

    /// The forward pass on tensors, up to the scores at the layout's stride.
    private func coarseScores(
        _ images: Tensor, mode: NormalizationMode, regularization: Regularization?, training: EncoderTraining,
        observe: (_ layer: Int, _ map: Tensor) -> Void
    ) -> Tensor {
        let backend = backend(for: images, mode: mode, regularization: regularization)
        let images = images.channelsLast()
        let stem = stem.maps(of: images, on: backend) { $0.features(of: images, mode: mode, training: training) }
        return coarseScores(of: images, stem: stem, on: backend, observe: observe)
    }

    /// What follows the stem, up to the scores at the layout's stride.
    private func coarseScores<Backend: ForwardBackend>(
        of images: Backend.Map, stem: (half: CachedFeatureMap<Backend>, quarter: CachedFeatureMap<Backend>),
        on backend: Backend, observe: (_ layer: Int, _ map: Backend.Map) -> Void
    ) -> Backend.Map {
        let half = stem.half.value
        var (previous2, previous) = (stem.half, stem.quarter)
        observe(-1, previous2.value)
        observe(0, previous.value)
        var lowLevel = previous.value
        // Maps that a later layer's long skip brings, each for one layer alone.
        let sources = Set(cells.map(\.layout).filter(\.hasLongSkip).map(\.previous2Layer))
        var kept = sources.contains(0) ? [0: previous] : [:]
        for cell in cells {
            let second = cell.layout.hasLongSkip ? kept.removeValue(forKey: cell.layout.previous2Layer) : previous2
            guard let second else { preconditionFailure("the map of a long skip was not kept") }
            let output = cell(previous: previous, previous2: second, on: backend)
            observe(cell.layout.layer, output.value)
            if sources.contains(cell.layout.layer) { kept[cell.layout.layer] = output }
            if cell.layout.layer == layout.decoder?.lowLevelLayer { lowLevel = output.value }
            (previous2, previous) = (previous, output)
        }
        guard let aspp, let decoder else { return backend.convolve(previous.rectified, by: logits) }
        let context = backend.dropout(aspp(previous.rectified, on: backend))
        let features = decoder(context: context, lowLevel: lowLevel, fine: [half, images], on: backend)
        return backend.convolve(features, by: logits)
    }

    private func backend(
        for images: Tensor, mode: NormalizationMode, regularization: Regularization?
    ) -> TensorBackend {
        precondition(
            images.rank == 4 && images.size(1) == configuration.imageChannels,
            "images [N, \(configuration.imageChannels), H, W], not \(images.shape)")
        let dropping = regularization.map {
            TensorBackend.Dropping(
                regularization: $0, dropPath: dropPath, dropoutKeep: configuration.dropoutKeep, images: images)
        }
        return TensorBackend(image: MapSize(of: images), mode: mode, dropping: dropping)
    }
}
