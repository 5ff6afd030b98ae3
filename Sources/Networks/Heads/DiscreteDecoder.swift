import SearchSpace
import Torch

/// The decoder of DeepLabv3+ up to the class layer.
///
/// Variables: `lowLevel`, `refine1` and `refine2`, each `.conv.weight` and `.norm.*`, the latter two below `depthwise` and
/// `pointwise` where they are separable; and for each finer stride S below `finerS` `projection`, `lowLevel`, `refine`.
final class DiscreteDecoder {
    private let name: String
    private let reduction: ConvBNReLU
    private let refinement: [[ConvBNReLU]]
    private let finer: [FinerDecoder]

    init(_ path: Path, _ layout: DecoderLayout, normalization: Normalization) {
        name = path.name
        reduction = ConvBNReLU(
            path / "lowLevel", layout.reduction, normalization: normalization, initializer: .glorotUniform)
        refinement = layout.refinement.enumerated().map {
            ConvBNReLU.head3x3(
                path / "refine\($0 + 1)", $1, normalization: normalization, initializer: .glorotUniform)
        }
        finer = layout.finer.map { FinerDecoder(path / "finer\($0.stride)", $0, normalization: normalization) }
    }

    /// The decoder's features.
    ///
    /// - Parameters:
    ///   - context: ASPP's result, at the stride of the last cell.
    ///   - lowLevel: A map at stride 4, before any ReLU.
    ///   - fine: The maps at strides 2 and 1, before any ReLU.
    ///   - backend: What computes.
    /// - Returns: What the class layer reads, at the finest of the decoder's strides.
    func callAsFunction<Backend: ForwardBackend>(
        context: Backend.Map, lowLevel: Backend.Map, fine: [Backend.Map], on backend: Backend
    ) -> Backend.Map {
        let joined = backend.join(
            [backend.resize(context, toStride: 4), reduction(lowLevel, on: backend)], named: name)
        let refined = refinement.reduce(joined) { $1($0, on: backend) }
        return zip(finer, fine).reduce(refined) { $1.0($0, lowLevel: $1.1, on: backend) }
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in [reduction] + refinement.flatMap({ $0 }) { unit.fold() }
        for part in finer { part.fold() }
    }
}

/// The decoder's part at a stride below 4; see `FinerLayout`.
private final class FinerDecoder {
    private let name: String
    private let stride: Int
    private let projection: ConvBNReLU
    private let reduction: ConvBNReLU
    private let refinement: [ConvBNReLU]

    init(_ path: Path, _ layout: FinerLayout, normalization: Normalization) {
        name = path.name
        stride = layout.stride
        func unit(_ name: String, _ layout: ConvolutionLayout) -> ConvBNReLU {
            ConvBNReLU(path / name, layout, normalization: normalization, initializer: .glorotUniform)
        }
        projection = unit("projection", layout.projection)
        reduction = unit("lowLevel", layout.reduction)
        refinement = ConvBNReLU.head3x3(
            path / "refine", layout.refinement, normalization: normalization, initializer: .glorotUniform)
    }

    func callAsFunction<Backend: ForwardBackend>(
        _ x: Backend.Map, lowLevel: Backend.Map, on backend: Backend
    ) -> Backend.Map {
        let coarse = backend.resize(projection(x, on: backend), toStride: stride)
        return refinement(
            backend.join([coarse, reduction(lowLevel, on: backend)], named: name), on: backend)
    }

    func fold() {
        for unit in [projection, reduction] + refinement { unit.fold() }
    }
}
