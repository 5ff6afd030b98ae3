import SearchSpace
import Torch

/// How a map enters a cell: brought to the cell's resolution and to the channels of a block (ALGORITHM 2).
final class CellEntry {
    private let weight: Conv2d
    private let norm: RunningStatistics
    private let resizes: Bool

    /// The entry of H^{l-1} along an arrow: ReLU-1x1-BN, from the finer resolution ReLU-3x3 stride 2-BN.
    convenience init(_ path: Path, arrow: Arrow, configuration: SupernetConfiguration) {
        self.init(
            path, sourceStride: arrow.source.stride.rawValue, targetStride: arrow.target.stride.rawValue,
            configuration: configuration)
    }

    /// The entry of H^{l-2}: ReLU-1x1-BN, at the seven corners from a finer resolution by one strided 3x3.
    convenience init(_ path: Path, second: SecondInput, node: Node, configuration: SupernetConfiguration) {
        self.init(
            path, sourceStride: second.stride, targetStride: node.stride.rawValue, configuration: configuration)
    }

    /// The entry of H^{l-2} from any stride: resized, then ReLU-1x1-BN.
    convenience init(_ path: Path, resizedFrom stride: Int, node: Node, configuration: SupernetConfiguration) {
        self.init(
            path, sourceStride: stride, targetStride: node.stride.rawValue, configuration: configuration, resizes: true)
    }

    private init(
        _ path: Path, sourceStride: Int, targetStride: Int, configuration: SupernetConfiguration, resizes: Bool = false
    ) {
        self.resizes = resizes
        let factor = resizes ? 1 : max(1, targetStride / sourceStride)
        let channels = configuration.blockChannels(stride: targetStride)
        weight = Conv2d(
            path / "conv", inputChannels: configuration.mapChannels(stride: sourceStride), outputChannels: channels,
            kernelSize: factor == 1 ? 1 : 3, stride: factor)
        norm = RunningStatistics(
            path / "norm", groups: 1, channels: channels, normalization: configuration.normalization)
    }

    /// - Parameters:
    ///   - x: A map of a layer before.
    ///   - size: Height and width of the cell's maps; a coarser map, or any where that is wanted, is resized to it before
    ///     anything else.
    ///   - mode: How to normalise.
    /// - Returns: `[N, C, height, width]`.
    func callAsFunction(_ x: Tensor, size: (height: Int, width: Int), mode: NormalizationMode) -> Tensor {
        let isResized = resizes || x.size(2) < size.height || x.size(3) < size.width
        let map = isResized ? interpolateBilinear(x, height: size.height, width: size.width) : x
        return norm(weight(map.relu()), mode: mode)
    }
}
