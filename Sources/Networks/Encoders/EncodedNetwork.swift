import SearchSpace
import Torch

/// A segmentation network of an encoder, which may come trained, and a decoder.
///
/// Variables: those of ``ImageEncoder`` below `encoder`, and the decoder's below `decoder`: `levelS.refine1` and
/// `levelS.refine2` at strides S = 16, 8, 4, 2 (`unet`); `aspp.*`, `lowLevel`, `refine1`, `refine2` (`deeplabv3+`);
/// `lateralS` at strides S = 4, 8, 16, 32 and `refine` (`light`), besides these `reduce`, `lateral2` and `refine2`
/// (`fine`); `adapterS`, `blockB.first` and `blockB.second` with their cells and `projection`, and `output` (a
/// genotype's); `logits`. Units have `.conv.weight` and `.norm`, separable ones two, below `depthwise` and `pointwise`.
public final class EncodedNetwork {
    /// What the network was built from.
    public let configuration: EncodedConfiguration
    /// What it consists of, as plain values.
    public let layout: EncodedLayout
    /// The network's variables.
    public let store: VariableStore
    /// The encoder.
    public let encoder: ImageEncoder
    private let decoder: any FeatureDecoder

    /// Builds the network, its variables drawn from the store's generator.
    ///
    /// - Parameters:
    ///   - configuration: One that passes `validate()`.
    ///   - store: An empty store.
    public init(_ configuration: EncodedConfiguration, store: VariableStore) {
        let layout = configuration.layout
        self.configuration = configuration
        self.layout = layout
        self.store = store
        encoder = ImageEncoder(store.root / "encoder", layout.encoder)
        decoder = layout.decoder.decoder(store.root / "decoder", normalization: configuration.normalization)
    }

    /// See ``DiscreteNetwork/fold()``.
    public func fold() {
        encoder.fold()
        decoder.fold()
    }

    /// Class scores `[N, classes, H, W]` of normalised images `[N, channels, H, W]`, colours by 2x / 255 - 1.
    ///
    /// - Parameters:
    ///   - images: The images, of any size from 33 pixels on.
    ///   - mode: How batch normalisation behaves.
    ///   - regularization: Dropout in a training step; nil for none.
    ///   - training: What the step does with the encoder.
    ///   - block: Gets the results `[N, A, h, w]` of a genotype's blocks, counted from 0, for auxiliary cells.
    /// - Returns: The scores at the images' size, before any softmax.
    public func callAsFunction(
        _ images: Tensor, mode: NormalizationMode, regularization: Regularization? = nil,
        training: EncoderTraining = .whole, block: (Int, Tensor) -> Void = { _, _ in }
    ) -> Tensor {
        MapSize(of: images).resize(
            coarseScores(images, mode: mode, regularization: regularization, training: training, block: block))
    }

    /// The strides of ``frozenFeatures(of:)``: 2, where the decoder reads that, 4, 8, 16 and 32.
    public var frozenStrides: [Int] {
        layout.encoder.features.map(\.stride).filter { $0 > 2 || layout.decoder.readsStride2 }
    }

    /// What the encoder makes of images while it stays as it is: maps in evaluation, without gradients.
    ///
    /// - Parameter images: Normalised images `[N, channels, H, W]`.
    /// - Returns: A map `[N, C, ceil(H / s), ceil(W / s)]` for each stride s of ``frozenStrides``.
    public func frozenFeatures(of images: Tensor) -> [Tensor] {
        let wanted = Set(frozenStrides)
        let maps = withoutGradients { encoder(images, mode: .evaluation) }
        return zip(layout.encoder.features, maps).filter { wanted.contains($0.0.stride) }.map(\.1)
    }

    /// Class scores `[N, classes, H, W]` of images that the encoder has seen already.
    ///
    /// - Parameters:
    ///   - features: What ``frozenFeatures(of:)`` gave.
    ///   - height: The images' rows.
    ///   - width: The images' columns.
    ///   - mode: How batch normalisation behaves in the decoder.
    ///   - regularization: Dropout in a training step; nil for none.
    ///   - block: As for images.
    /// - Returns: The scores at the images' size, before any softmax.
    public func scores(
        ofFeatures features: [Tensor], height: Int, width: Int, mode: NormalizationMode,
        regularization: Regularization? = nil, block: (Int, Tensor) -> Void = { _, _ in }
    ) -> Tensor {
        let size = MapSize(height: height, width: width)
        precondition(features.count == frozenStrides.count, "\(features.count) maps of an encoder")
        return size.resize(
            coarseScores(
                ofFeatures: Dictionary(uniqueKeysWithValues: zip(frozenStrides, features)), size: size,
                images: features[0], mode: mode, regularization: regularization, block: block))
    }

    /// Class scores in evaluation at the decoder's stride, `[N, classes, ceil(H / s), ceil(W / s)]`.
    ///
    /// Resized bilinearly, with aligned corners, they are the scores that the network gives.
    public func coarseScores(_ images: Tensor) -> Tensor {
        coarseScores(images, mode: .evaluation, regularization: nil, training: .whole) { _, _ in }
    }

    /// Class scores at the images' size, on any backend.
    package func scores<Backend: ForwardBackend>(of images: Backend.Map, on backend: Backend) -> Backend.Map {
        backend.resize(coarseScores(of: images, on: backend), toStride: 1)
    }

    /// Class scores at the decoder's stride, on any backend.
    func coarseScores<Backend: ForwardBackend>(of images: Backend.Map, on backend: Backend) -> Backend.Map {
        decoder.scores(of: byStride(encoder.features(of: images, on: backend)), on: backend) { _, _ in }
    }

    private func coarseScores(
        _ images: Tensor, mode: NormalizationMode, regularization: Regularization?, training: EncoderTraining,
        block: (Int, Tensor) -> Void
    ) -> Tensor {
        precondition(
            images.rank == 4 && images.size(1) == configuration.imageChannels,
            "images [N, \(configuration.imageChannels), H, W], not \(images.shape)")
        return coarseScores(
            ofFeatures: byStride(encoder.features(of: images.channelsLast(), mode: mode, training: training)),
            size: MapSize(of: images), images: images, mode: mode, regularization: regularization, block: block)
    }

    /// Scores at the decoder's stride; `images` has as many rows as there are images, and dropout goes by it.
    private func coarseScores(
        ofFeatures features: [Int: Tensor], size: MapSize, images: Tensor, mode: NormalizationMode,
        regularization: Regularization?, block: (Int, Tensor) -> Void
    ) -> Tensor {
        let dropping = regularization.map {
            TensorBackend.Dropping(
                regularization: $0, dropPath: DropPath(keep: 1, cells: 1), dropoutKeep: configuration.dropoutKeep,
                images: images)
        }
        return decoder.scores(
            of: features, on: TensorBackend(image: size, mode: mode, dropping: dropping), block: block)
    }

    private func byStride<Map>(_ features: [Map]) -> [Int: Map] {
        Dictionary(uniqueKeysWithValues: zip(layout.encoder.features.map(\.stride), features))
    }
}
