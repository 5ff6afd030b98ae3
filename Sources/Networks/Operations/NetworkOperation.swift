import SearchSpace
import Torch

/// The shape of one image's map.
package struct MapShape: Hashable, Sendable {
    package var channels: Int
    package var height: Int
    package var width: Int

    /// A map of `channels` x `height` x `width` values.
    package init(channels: Int, height: Int, width: Int) {
        self.channels = channels
        self.height = height
        self.width = width
    }

    var text: String { "\(channels)x\(height)x\(width)" }
}

/// A step of a network's forward pass of one image in evaluation, with batch normalisations folded: what a latency table
/// has a time for.
package enum NetworkOperation: Hashable, Sendable {
    /// A convolution, its bias, and an activation in place.
    case convolution(ConvolutionLayout, activation: Activation?, of: MapShape)
    /// A depthwise convolution with as many channels as the map and a pointwise one with a bias, which processors do as one.
    case separable(depthwise: ConvolutionLayout, pointwise: ConvolutionLayout, of: MapShape)
    /// ReLU.
    case rectify(MapShape)
    /// A factor and a summand for each channel.
    case scale(MapShape)
    /// A pool of windows.
    case pool(SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, of: MapShape)
    /// Bilinear resizing.
    case resize(MapShape, height: Int, width: Int)
    /// The mean over all pixels.
    case mean(MapShape)
    /// Maps of so many channels each side by side.
    case join([Int], height: Int, width: Int)
    /// The sum of two maps, of which the second may be a single pixel.
    case add(MapShape, pixel: Bool)
    /// Zeros.
    case zeros(MapShape)

    /// Its name in a table: equal for operations that take the same time.
    package var key: String {
        switch self {
        case .convolution(let layout, let activation, let map):
            let extras = [
                layout.stride > 1 ? " stride\(layout.stride)" : "",
                layout.dilation > 1 ? " rate\(layout.dilation)" : "",
                layout.groups > 1 ? " groups\(layout.groups)" : "", layout.padding == .same ? " same" : "",
                layout.bias || layout.normalized ? " bias" : "", activation.map { " \($0)" } ?? "",
            ]
            return "conv\(layout.kernelSize)\(extras.joined()) to\(layout.outputChannels) \(map.text)"
        case .separable(let depthwise, _, let map):
            return
                "separable\(depthwise.kernelSize)\(depthwise.dilation > 1 ? " rate\(depthwise.dilation)" : "") \(map.text)"
        case .rectify(let map): return "relu \(map.text)"
        case .scale(let map): return "scale \(map.text)"
        case .pool(let pool, let kernel, let stride, let map): return "\(pool)\(kernel) stride\(stride) \(map.text)"
        case .resize(let map, let height, let width): return "resize to\(height)x\(width) \(map.text)"
        case .mean(let map): return "mean \(map.text)"
        case .join(let channels, let height, let width):
            return "join \(channels.map(String.init).joined(separator: "+"))x\(height)x\(width)"
        case .add(let map, let pixel): return "add\(pixel ? " pixel" : "") \(map.text)"
        case .zeros(let map): return "zeros \(map.text)"
        }
    }

    /// What it costs, as `Cost` counts: parameters and multiply-adds of convolutions alone.
    package var cost: Cost.Part {
        switch self {
        case .convolution(let layout, _, let map): return layout.cost(of: map)
        case .separable(let depthwise, let pointwise, let map):
            let (first, second) = (depthwise.cost(of: map), pointwise.cost(of: map))
            return Cost.Part(
                parameters: first.parameters + second.parameters,
                multiplyAdds: first.multiplyAdds + second.multiplyAdds)
        default: return Cost.Part()
        }
    }
}

extension ConvolutionLayout {
    fileprivate func cost(of map: MapShape) -> Cost.Part {
        let size = scaledSize(map.height, stride: stride) * scaledSize(map.width, stride: stride)
        return Cost.Part(parameters: parameters, multiplyAdds: multiplyAdds(outputSize: size))
    }
}

extension NetworkDescription {
    /// The steps of a pass of one image of `height` x `width`, in their order.
    package func operations(height: Int, width: Int) -> [NetworkOperation] {
        let recorder = OperationRecorder(height: height, width: width)
        let network = network(store: VariableStore(shapesFor: .cpu))
        _ = network.scores(
            of: MapShape(channels: network.description.imageChannels, height: height, width: width), on: recorder)
        return recorder.operations
    }
}
