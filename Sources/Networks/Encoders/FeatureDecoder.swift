import SearchSpace
import Torch

/// What makes class scores of an encoder's maps.
protocol FeatureDecoder {
    /// Class scores `[N, classes, ceil(H / s), ceil(W / s)]` at the decoder's stride.
    ///
    /// - Parameters:
    ///   - features: The encoder's maps by their strides.
    ///   - backend: What computes.
    /// - Returns: The scores, before any softmax.
    func scores<Backend: ForwardBackend>(of features: [Int: Backend.Map], on backend: Backend) -> Backend.Map

    /// The same, handing on the results of blocks, counted from 0, where the decoder has such.
    func scores<Backend: ForwardBackend>(
        of features: [Int: Backend.Map], on backend: Backend, block: (Int, Backend.Map) -> Void
    ) -> Backend.Map

    /// See ``DiscreteNetwork/fold()``.
    func fold()
}

extension FeatureDecoder {
    func scores<Backend: ForwardBackend>(
        of features: [Int: Backend.Map], on backend: Backend, block: (Int, Backend.Map) -> Void
    ) -> Backend.Map {
        scores(of: features, on: backend)
    }
}

extension FeatureDecoderLayout {
    /// The decoder, its variables below `path`.
    func decoder(_ path: Path, normalization: Normalization) -> any FeatureDecoder {
        switch self {
        case .unet(let layout): UNetDecoder(path, layout, normalization: normalization)
        case .deepLabV3Plus(let layout): DeepLabDecoder(path, layout, normalization: normalization)
        case .light(let layout): LightDecoder(path, layout, normalization: normalization)
        case .fine(let layout): FineDecoder(path, layout, normalization: normalization)
        case .searched(let layout): SearchedDecoder(path, layout, normalization: normalization)
        }
    }
}

/// U-Net's way up.
///
/// Variables: `levelS.refine1`, `levelS.refine2` at strides S = 16, 8, 4, 2; `logits`.
private final class UNetDecoder: FeatureDecoder {
    private let name: String
    private let levels: [(stride: Int, units: [[ConvBNReLU]])]
    private let logits: Conv2d

    init(_ path: Path, _ layout: UNetLayout, normalization: Normalization) {
        name = path.name
        levels = layout.levels.map { level in
            (
                level.stride,
                level.refinement.enumerated().map {
                    ConvBNReLU.head3x3(
                        path / "level\(level.stride)" / "refine\($0 + 1)", $1, normalization: normalization,
                        initializer: .glorotUniform)
                }
            )
        }
        logits = Conv2d(path / "logits", layout.logits, initializer: .truncatedNormal(0.01))
    }

    func scores<Backend: ForwardBackend>(of features: [Int: Backend.Map], on backend: Backend) -> Backend.Map {
        let coarsest = map(features, atStride: 32)
        let result = levels.reduce(coarsest) { coarse, level in
            let joined = backend.join(
                [backend.resize(coarse, toStride: level.stride), map(features, atStride: level.stride)],
                named: "\(name).level\(level.stride)")
            return level.units.reduce(joined) { $1($0, on: backend) }
        }
        return backend.convolve(result, by: logits)
    }

    func fold() {
        for unit in levels.flatMap(\.units).joined() { unit.fold() }
    }
}

/// DeepLabv3+.
///
/// Variables: those of the ``ASPP`` below `aspp`; `lowLevel`, `refine1`, `refine2`, `logits`.
private final class DeepLabDecoder: FeatureDecoder {
    private let name: String
    private let aspp: ASPP
    private let reduction: ConvBNReLU
    private let refinement: [[ConvBNReLU]]
    private let logits: Conv2d

    init(_ path: Path, _ layout: DeepLabLayout, normalization: Normalization) {
        name = path.name
        aspp = ASPP(
            path / "aspp",
            ASPP.Settings(
                inputChannels: layout.aspp.inputChannels, channels: layout.aspp.channels, atrous: layout.aspp.atrous,
                normalizesImagePooling: true, normalization: normalization, initializer: .glorotUniform))
        reduction = ConvBNReLU(
            path / "lowLevel", layout.reduction, normalization: normalization, initializer: .glorotUniform)
        refinement = layout.refinement.enumerated().map {
            ConvBNReLU.head3x3(
                path / "refine\($0 + 1)", $1, normalization: normalization, initializer: .glorotUniform)
        }
        logits = Conv2d(path / "logits", layout.logits, initializer: .truncatedNormal(0.01))
    }

    func scores<Backend: ForwardBackend>(of features: [Int: Backend.Map], on backend: Backend) -> Backend.Map {
        let context = backend.dropout(aspp(map(features, atStride: 32), on: backend))
        let joined = backend.join(
            [backend.resize(context, toStride: 4), reduction(map(features, atStride: 4), on: backend)], named: name)
        return backend.convolve(refinement.reduce(joined) { $1($0, on: backend) }, by: logits)
    }

    func fold() {
        aspp.fold()
        reduction.fold()
        for unit in refinement.joined() { unit.fold() }
    }
}

/// A feature pyramid summed up.
///
/// Variables: `lateralS` at strides S = 4, 8, 16, 32; `refine`.
private final class FeaturePyramid {
    private let name: String
    private let laterals: [ConvBNReLU]
    private let refinement: [ConvBNReLU]

    init(_ path: Path, _ layout: LightLayout, normalization: Normalization) {
        name = path.name
        laterals = zip(LightLayout.strides, layout.laterals).map {
            ConvBNReLU(
                path / "lateral\($0)", $1, normalization: normalization, initializer: .glorotUniform, activation: nil)
        }
        refinement = ConvBNReLU.head3x3(
            path / "refine", layout.refinement, normalization: normalization, initializer: .glorotUniform)
    }

    /// The map at stride 4.
    func sum<Backend: ForwardBackend>(of features: [Int: Backend.Map], on backend: Backend) -> Backend.Map {
        var maps = zip(LightLayout.strides, laterals).map { $1(map(features, atStride: $0), on: backend) }
        for index in maps.indices.dropLast().reversed() {
            let stride = LightLayout.strides[index]
            maps[index] = backend.add(
                maps[index], backend.resize(maps[index + 1], toStride: stride), named: "\(name).sum\(stride)")
        }
        return refinement(maps[0], on: backend)
    }

    func fold() {
        for lateral in laterals { lateral.fold() }
        for unit in refinement { unit.fold() }
    }
}

/// A feature pyramid with classes told apart at stride 4.
///
/// Variables: those of the ``FeaturePyramid``; `logits`.
private final class LightDecoder: FeatureDecoder {
    private let pyramid: FeaturePyramid
    private let logits: Conv2d

    init(_ path: Path, _ layout: LightLayout, normalization: Normalization) {
        pyramid = FeaturePyramid(path, layout, normalization: normalization)
        logits = Conv2d(path / "logits", layout.logits, initializer: .truncatedNormal(0.01))
    }

    func scores<Backend: ForwardBackend>(of features: [Int: Backend.Map], on backend: Backend) -> Backend.Map {
        backend.convolve(pyramid.sum(of: features, on: backend), by: logits)
    }

    func fold() { pyramid.fold() }
}

/// A feature pyramid with one level more, at which classes are told apart.
///
/// Variables: those of the ``FeaturePyramid``; `reduce`, `lateral2`, `refine2`, `logits`.
private final class FineDecoder: FeatureDecoder {
    private let name: String
    private let pyramid: FeaturePyramid
    private let laterals: [ConvBNReLU]
    private let refinement: [ConvBNReLU]
    private let logits: Conv2d

    init(_ path: Path, _ layout: FineLayout, normalization: Normalization) {
        name = path.name
        pyramid = FeaturePyramid(path, layout.coarse, normalization: normalization)
        laterals = zip(["reduce", "lateral2"], layout.laterals).map {
            ConvBNReLU(path / $0, $1, normalization: normalization, initializer: .glorotUniform, activation: nil)
        }
        refinement = ConvBNReLU.head3x3(
            path / "refine2", layout.refinement, normalization: normalization, initializer: .glorotUniform)
        logits = Conv2d(path / "logits", layout.logits, initializer: .truncatedNormal(0.01))
    }

    func scores<Backend: ForwardBackend>(of features: [Int: Backend.Map], on backend: Backend) -> Backend.Map {
        let coarse = laterals[0](pyramid.sum(of: features, on: backend), on: backend)
        let sum = backend.add(
            laterals[1](map(features, atStride: 2), on: backend), backend.resize(coarse, toStride: 2),
            named: "\(name).sum2")
        return backend.convolve(refinement(sum, on: backend), by: logits)
    }

    func fold() {
        pyramid.fold()
        for unit in laterals + refinement { unit.fold() }
    }
}

func map<Map>(_ features: [Int: Map], atStride stride: Int) -> Map {
    guard let map = features[stride] else { preconditionFailure("no map at stride \(stride)") }
    return map
}
