import SearchSpace
import Torch

/// The decoder of DeepLabv3+ with the class layer.
///
/// Variables: `lowLevel`, `refine1` and `refine2`, each `.conv.weight` and `.norm.*`; `logits.weight`, `logits.bias`.
final class DiscreteDecoder {
    private let name: String
    private let reduction: ConvBNReLU
    private let refinement: [ConvBNReLU]
    private let logits: Conv2d

    init(_ path: Path, _ layout: DecoderLayout, normalization: Normalization) {
        func unit(_ name: String, _ layout: ConvolutionLayout) -> ConvBNReLU {
            ConvBNReLU(path / name, layout, normalization: normalization, initializer: .glorotUniform)
        }
        name = path.name
        reduction = unit("lowLevel", layout.reduction)
        refinement = layout.refinement.enumerated().map { unit("refine\($0 + 1)", $1) }
        logits = Conv2d(path / "logits", layout.logits, initializer: .truncatedNormal(0.01))
    }

    /// Class scores `[N, classes, ceil(H / 4), ceil(W / 4)]`.
    ///
    /// - Parameters:
    ///   - context: ASPP's result, at the stride of the last cell.
    ///   - lowLevel: A map at stride 4, before any ReLU.
    ///   - backend: What computes.
    /// - Returns: The scores at the size of `lowLevel`.
    func callAsFunction<Backend: ForwardBackend>(
        context: Backend.Map, lowLevel: Backend.Map, on backend: Backend
    ) -> Backend.Map {
        let joined = backend.join(
            [backend.resize(context, toStride: 4), reduction(lowLevel, on: backend)], named: name)
        return backend.convolve(refinement.reduce(joined) { $1($0, on: backend) }, by: logits)
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in [reduction] + refinement { unit.fold() }
    }
}
