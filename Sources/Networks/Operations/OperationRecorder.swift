import SearchSpace
import Torch

/// The forward pass as a list of its operations: nothing is computed, maps are their shapes.
package final class OperationRecorder: ForwardBackend {
    /// What was asked for, in its order.
    package private(set) var operations: [NetworkOperation] = []
    private let image: MapSize

    /// A recorder for an image of `height` x `width`.
    package init(height: Int, width: Int) { image = MapSize(height: height, width: width) }

    package func convolve(_ x: MapShape, by convolution: Conv2d) -> MapShape {
        convolve(x, by: convolution, normalized: false, activation: nil)
    }

    package func convolve(_ x: MapShape, by convolution: NormalizedConv, activation: Activation?) -> MapShape {
        convolve(x, by: convolution.conv, normalized: true, activation: activation)
    }

    package func convolve(_ x: MapShape, by depthwise: Conv2d, then pointwise: NormalizedConv) -> MapShape {
        guard TensorBackend.isOneOperation(depthwise, pointwise.conv, values: x.channels * x.height * x.width)
        else {
            return convolve(convolve(x, by: depthwise), by: pointwise, activation: nil)
        }
        return note(
            .separable(
                depthwise: layout(of: depthwise, reading: x, normalized: false),
                pointwise: layout(of: pointwise.conv, reading: x, normalized: true), of: x), x)
    }

    package func project(
        _ maps: () -> [MapShape], besides pixel: () -> MapShape, by projection: NormalizedConv, named name: String
    ) -> MapShape {
        let pixel = pixel()
        let map = join(maps(), named: name)
        // The bias goes with the pixel, as on tensors.
        let whole = convolve(map, by: projection.conv, normalized: false, activation: nil)
        _ = convolve(pixel, by: projection.conv, normalized: true, activation: nil)
        operations.append(.add(whole, pixel: true))
        return rectify(whole)
    }

    package func rectify(_ x: MapShape) -> MapShape { note(.rectify(x), x) }

    package func scale(
        _ x: MapShape, by factors: [Double], plus summands: [Double], named name: String
    ) -> MapShape {
        note(.scale(x), x)
    }

    package func pool(
        _ x: MapShape, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String
    ) -> MapShape {
        note(
            .pool(pool, kernelSize: kernelSize, stride: stride, of: x),
            MapShape(
                channels: x.channels, height: scaledSize(x.height, stride: stride),
                width: scaledSize(x.width, stride: stride)))
    }

    package func resize(_ x: MapShape, toStride stride: Int, alignCorners: Bool) -> MapShape {
        let size = image.at(stride: stride)
        if size.height == x.height && size.width == x.width { return x }
        return note(
            .resize(x, height: size.height, width: size.width),
            MapShape(channels: x.channels, height: size.height, width: size.width))
    }

    package func mean(_ x: MapShape, named name: String) -> MapShape {
        note(.mean(x), MapShape(channels: x.channels, height: 1, width: 1))
    }

    package func join(_ maps: [MapShape], named name: String) -> MapShape {
        let channels = maps.map(\.channels)
        return note(
            .join(channels, height: maps[0].height, width: maps[0].width),
            MapShape(channels: channels.reduce(0, +), height: maps[0].height, width: maps[0].width))
    }

    package func add(_ x: MapShape, _ y: MapShape, named name: String) -> MapShape { note(.add(x, pixel: false), x) }

    package func zeros(channels: Int, stride: Int, like x: MapShape, named name: String) -> MapShape {
        let size = image.at(stride: stride)
        let map = MapShape(channels: channels, height: size.height, width: size.width)
        return note(.zeros(map), map)
    }

    private func note(_ operation: NetworkOperation, _ result: MapShape) -> MapShape {
        operations.append(operation)
        return result
    }

    private func convolve(
        _ x: MapShape, by convolution: Conv2d, normalized: Bool, activation: Activation?
    ) -> MapShape {
        let layout = layout(of: convolution, reading: x, normalized: normalized)
        return note(
            .convolution(layout, activation: activation, of: x),
            MapShape(
                channels: layout.outputChannels, height: scaledSize(x.height, stride: layout.stride),
                width: scaledSize(x.width, stride: layout.stride)))
    }

    /// Of a kernel for more channels than the map has, the layout of those of the map.
    private func layout(of convolution: Conv2d, reading x: MapShape, normalized: Bool) -> ConvolutionLayout {
        ConvolutionLayout(
            kernelSize: convolution.weight.size(2), stride: convolution.stride, dilation: convolution.dilation,
            inputChannels: x.channels, outputChannels: convolution.weight.size(0), groups: convolution.groups,
            bias: convolution.bias != nil, normalized: normalized,
            padding: convolution.padding == .same ? .same : .symmetric)
    }
}
