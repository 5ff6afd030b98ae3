import SearchSpace
import Torch

/// An encoder without its head: what it sees in images, at five resolutions, or at the first of them.
///
/// It takes images as all networks here do, colours as 2x / 255 - 1, and brings those to the values that it learnt from itself.
///
/// Variables: `stem`, and `blocks.I.expand` (but for the first), `.depthwise`, `.project` for block I, counted from 0;
/// each `.conv.weight` and `.norm.weight`, `.bias`, `.runningMean`, `.runningVariance`.
public final class ImageEncoder {
    /// What the encoder consists of, as plain values.
    public let layout: EncoderLayout
    private let name: String
    private let stem: ConvBNReLU
    private let blocks: [InvertedResidual]
    /// Its variables by their names without its place.
    let variables: [String: Tensor]

    /// Makes the encoder's variables below `path`.
    public init(_ path: Path, _ layout: EncoderLayout) {
        self.layout = layout
        name = path.name
        let normalization = Normalization(
            affine: true, eps: layout.kind.family.epsilon, momentum: layout.kind.family.momentum)
        stem = ConvBNReLU(path / "stem", layout.stem, normalization: normalization, activation: .relu6)
        blocks = layout.blocks.enumerated().map {
            InvertedResidual(path / "blocks" / $0, $1, normalization: normalization)
        }
        variables = path.variables
    }

    /// Whether images are colours, whose values are scaled first; others are taken as they are.
    package var seesColors: Bool { layout.stem.inputChannels == 3 }

    /// Maps `[N, C, ceil(H / s), ceil(W / s)]` of normalised images `[N, channels, H, W]`, colours by 2x / 255 - 1.
    ///
    /// - Parameters:
    ///   - images: The images.
    ///   - mode: How batch normalisation behaves.
    /// - Returns: A map for each of the layout's features, in their order.
    public func callAsFunction(_ images: Tensor, mode: NormalizationMode) -> [Tensor] {
        features(of: images.channelsLast(), on: TensorBackend(image: MapSize(of: images), mode: mode))
    }

    /// The same on any backend.
    func features<Backend: ForwardBackend>(of images: Backend.Map, on backend: Backend) -> [Backend.Map] {
        var map = images
        if seesColors {
            let (mean, deviation) = layout.kind.family.colors
            // x = 127.5 (image + 1), then (x - mean) / deviation.
            map = backend.scale(
                map, by: deviation.map { 127.5 / $0 }, plus: zip(mean, deviation).map { (127.5 - $0) / $1 },
                named: name + ".colors")
        }
        map = stem(map, on: backend)
        let wanted = Set(layout.features.map(\.block))
        var features: [Backend.Map] = []
        for (index, block) in blocks.enumerated() {
            map = block(map, on: backend)
            if wanted.contains(index) { features.append(map) }
        }
        return features
    }

    /// The same of images, channels last in memory, in a pass that may leave statistics or all of the encoder as they are.
    func features(of images: Tensor, mode: NormalizationMode, training: EncoderTraining) -> [Tensor] {
        func features() -> [Tensor] {
            let mode = training == .whole ? mode : .evaluation
            return self.features(of: images, on: TensorBackend(image: MapSize(of: images), mode: mode))
        }
        return training == .frozen ? withoutGradients(features) : features()
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        stem.fold()
        for block in blocks { block.fold() }
    }

    /// Has the running statistics follow the weights as fast as the rest of the network's do.
    ///
    /// EfficientNet's own momentum is made for many thousand steps: after some hundred they still fit the weights that it began
    /// with, and from scratch none at all.
    ///
    /// - Parameter decay: Share of the old value in each move; an encoder that forgets faster by itself does so.
    package func movesStatistics(decay: Double) {
        for unit in [stem] + blocks.flatMap(\.units) { unit.moveStatistics(by: 1 - decay) }
    }
}

/// An inverted residual block.
private final class InvertedResidual {
    private let name: String
    private let isResidual: Bool
    let units: [ConvBNReLU]

    init(_ path: Path, _ layout: InvertedResidualLayout, normalization: Normalization) {
        func unit(_ name: String, _ layout: ConvolutionLayout, activation: Activation?) -> ConvBNReLU {
            ConvBNReLU(path / name, layout, normalization: normalization, activation: activation)
        }
        name = path.name
        isResidual = layout.isResidual
        units =
            (layout.expansion.map { [unit("expand", $0, activation: .relu6)] } ?? []) + [
                unit("depthwise", layout.depthwise, activation: .relu6),
                unit("project", layout.projection, activation: nil),
            ]
    }

    func callAsFunction<Backend: ForwardBackend>(_ x: Backend.Map, on backend: Backend) -> Backend.Map {
        let y = units.reduce(x) { $1($0, on: backend) }
        return isResidual ? backend.add(x, y, named: name) : y
    }

    func fold() {
        for unit in units { unit.fold() }
    }
}
