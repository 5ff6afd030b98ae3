import SearchSpace
import Torch

/// ReLU, one or two convolutions with nothing between them, batch normalisation: what the cells' operators consist of.
///
/// Variables: `depthwise.weight` and `pointwise.weight`, or `dense.weight` or `pointwise.weight` alone; `norm.*`.
final class PreActivatedUnit {
    private let depthwise: Conv2d?
    private let last: NormalizedConv

    /// A unit of these convolutions, of which the last is the normalised one.
    init(_ path: Path, _ layouts: [ConvolutionLayout], normalization: Normalization) {
        guard let layout = layouts.last, layout.normalized, !layouts.dropLast().contains(where: \.normalized) else {
            preconditionFailure("\(path.name): a unit ends with its only batch normalisation")
        }
        precondition(layouts.count <= 2, "\(path.name): a unit has one convolution before its last")
        depthwise = layouts.dropLast().first.map { Conv2d(path / $0.unitName, $0) }
        last = NormalizedConv(
            Conv2d(path / layout.unitName, layout), normalization(path / "norm", channels: layout.outputChannels))
    }

    /// Cuts an operator's convolutions behind every batch normalisation.
    static func units(_ path: Path, _ layouts: [ConvolutionLayout], normalization: Normalization) -> [PreActivatedUnit]
    {
        layouts.split(after: \.normalized).enumerated().map { index, unit in
            PreActivatedUnit(path / (index + 1), unit, normalization: normalization)
        }
    }

    /// Convolves and normalises a map `[N, C, H, W]` that has been through the ReLU, which branches may share.
    func callAsFunction<Backend: ForwardBackend>(rectified x: Backend.Map, on backend: Backend) -> Backend.Map {
        guard let depthwise else { return backend.convolve(x, by: last, activation: nil) }
        return backend.convolve(x, by: depthwise, then: last)
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() { last.fold() }
}

extension ConvolutionLayout {
    /// The convolution's name in a unit's variables.
    var unitName: String {
        if !normalized { return "depthwise" }
        return kernelSize == 1 ? "pointwise" : "dense"
    }
}

extension Conv2d {
    /// A convolution as the layout has it.
    convenience init(_ path: Path, _ layout: ConvolutionLayout, initializer: Initializer = .uniformFanIn) {
        self.init(
            path, inputChannels: layout.inputChannels, outputChannels: layout.outputChannels,
            kernelSize: layout.kernelSize, stride: layout.stride, padding: layout.padding == .same ? .same : nil,
            dilation: layout.dilation, groups: layout.groups, bias: layout.bias, initializer: initializer)
    }
}

extension Array {
    /// Cuts behind every element for which `isLast` holds.
    func split(after isLast: (Element) -> Bool) -> [[Element]] {
        var parts: [[Element]] = []
        var part: [Element] = []
        for element in self {
            part.append(element)
            guard isLast(element) else { continue }
            parts.append(part)
            part = []
        }
        return part.isEmpty ? parts : parts + [part]
    }
}
