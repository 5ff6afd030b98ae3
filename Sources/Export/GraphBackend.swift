import Networks
import SearchSpace
import Torch

/// The forward pass as nodes of a graph, batch normalisation folded into the convolutions before it.
struct GraphBackend: ForwardBackend {
    private let builder: GraphBuilder
    private let extent: ImageExtent
    private let quantizer: Quantizer?

    /// The output of a node, `[N, channels, ceil(H / stride), ceil(W / stride)]`.
    struct Map {
        var name: String
        let channels: Int
        let stride: Int
        /// What one of its bytes stands for; nil where it is made of real numbers.
        var scale: Float?
    }

    /// Nodes for images of this extent go to the builder, with bytes between them where there is a quantizer.
    init(extent: ImageExtent, builder: GraphBuilder, quantizer: Quantizer? = nil) {
        self.extent = extent
        self.builder = builder
        self.quantizer = quantizer
    }

    /// The images; where their channels are scaled first, they stay real numbers until then.
    func images(_ map: Map, areScaled: Bool) -> Map { result(map, stays: areScaled) }

    /// An operation's result: bytes where what it was computed of is.
    private func result(_ map: Map, of maps: [Map]) -> Map {
        result(map, stays: maps.contains { $0.scale == nil })
    }

    /// An operation's result, which every operation has one of: bytes, unless it stays what it is.
    private func result(_ map: Map, stays: Bool) -> Map { quantizer?.quantized(map, stays: stays) ?? map }

    // MARK: Convolutions

    func convolve(_ x: Map, by convolution: Conv2d) -> Map {
        let map = add(convolution, of: x, convolution.weight, convolution.bias, convolution.name)
        let areScores = SegmentationNetwork.classLayer.contains(convolution.name + ".weight")
        return result(map, stays: areScores || x.scale == nil)
    }

    func convolve(_ x: Map, by convolution: NormalizedConv, activation: Activation?) -> Map {
        let (weight, bias) = convolution.foldedParameters(.float64)
        let map = add(convolution.conv, of: x, weight, bias, name(of: convolution))
        let active =
            switch activation {
            case .relu: relu(map)
            case .relu6: clip(map, to: 6)
            case nil: map
            }
        return result(active, of: [x])
    }

    func project(
        _ maps: () -> [Map], besides pixel: () -> Map, by projection: NormalizedConv, named name: String
    ) -> Map {
        let (maps, pixel) = (maps(), pixel())
        let joined = concatenated(maps, named: name)
        let name = self.name(of: projection)
        let (weight, bias) = projection.foldedParameters(.float64)
        let share = weight.narrow(1, start: 0, length: joined.channels)
        let pixelShare = weight.narrow(1, start: joined.channels, length: pixel.channels)
        let sum = sum(
            add(projection.conv, of: joined, share, bias, name + ".conv"),
            add(projection.conv, of: pixel, pixelShare, nil, name + ".image"), named: name)
        return result(relu(sum), of: maps + [pixel])
    }

    private func add(_ convolution: Conv2d, of x: Map, _ weight: Tensor, _ bias: Tensor?, _ name: String) -> Map {
        var inputs = [x.name]
        if let quantizer, let scale = x.scale {
            inputs += quantizer.parameters(weight, bias, of: scale, name: name)
        } else {
            inputs.append(builder.weights(weight, name: name + ".weight"))
            if let bias { inputs.append(builder.weights(bias, name: name + ".bias")) }
        }
        let padding = padding(of: convolution, for: x)
        let output = builder.node(
            "Conv", inputs,
            [
                "kernel_shape": .integers([weight.size(2), weight.size(3)]),
                "strides": .integers([convolution.stride, convolution.stride]),
                "dilations": .integers([convolution.dilation, convolution.dilation]),
                padding.attribute: padding.value, "group": .integer(convolution.groups),
            ], name: name)
        return Map(name: output, channels: weight.size(0), stride: x.stride * convolution.stride)
    }

    /// Zeros around a map: as numbers, or as TensorFlow's rule where its size is open, which the rule then follows.
    private func padding(
        of convolution: Conv2d, for x: Map
    ) -> (attribute: String, value: GraphBuilder.Attribute) {
        let sides: [(before: Int, after: Int)]
        switch (convolution.padding, extent.fixedSize(atStride: x.stride)) {
        case (.each(let count), _): sides = [(count, count), (count, count)]
        case (.same, let size?): sides = size.map { convolution.zeros(ofSize: $0) }
        case (.same, nil): return ("auto_pad", .text("SAME_UPPER"))
        }
        return ("pads", .integers(sides.map(\.before) + sides.map(\.after)))
    }

    /// A convolution that has a place of its own below its normalisation's goes by the name of both.
    private func name(of convolution: NormalizedConv) -> String {
        let name = convolution.conv.name
        return name.hasSuffix(".conv") ? String(name.dropLast(5)) : name
    }

    // MARK: Other operations

    func rectify(_ x: Map) -> Map { result(relu(x), of: [x]) }

    private func relu(_ x: Map) -> Map {
        Map(name: builder.node("Relu", [x.name], name: x.name + ".relu"), channels: x.channels, stride: x.stride)
    }

    /// Values below 0 become 0, those above a limit the limit.
    private func clip(_ x: Map, to limit: Float) -> Map {
        let bounds = [0, limit].map { builder.weights(scalar: $0) }
        return Map(
            name: builder.node("Clip", [x.name] + bounds, name: x.name + ".clip"), channels: x.channels,
            stride: x.stride)
    }

    func scale(_ x: Map, by factors: [Double], plus summands: [Double], named name: String) -> Map {
        func constant(_ values: [Double], _ part: String) -> String {
            builder.weights(Tensor(values.map { Float($0) }, shape: [values.count, 1, 1]), name: "\(name).\(part)")
        }
        let scaled = builder.node("Mul", [x.name, constant(factors, "factors")], name: name + ".scaled")
        let shifted = builder.node("Add", [scaled, constant(summands, "summands")], name: name)
        return result(Map(name: shifted, channels: x.channels, stride: x.stride), stays: false)
    }

    func pool(_ x: Map, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String) -> Map {
        let kind =
            switch pool {
            case .average: "AveragePool"
            case .maximum: "MaxPool"
            }
        let padding = kernelSize / 2
        let output = builder.node(
            kind, [x.name],
            [
                "kernel_shape": .integers([kernelSize, kernelSize]),
                "pads": .integers([padding, padding, padding, padding]), "strides": .integers([stride, stride]),
            ], name: name)
        return result(Map(name: output, channels: x.channels, stride: x.stride * stride), of: [x])
    }

    func resize(_ x: Map, toStride stride: Int, alignCorners: Bool) -> Map {
        if x.stride == stride { return result(x, stays: true) }
        let shape = extent.shape(channels: x.channels, stride: stride)
        let output = builder.node(
            "Resize", [x.name, "", "", shape],
            [
                "mode": .text("linear"),
                "coordinate_transformation_mode": .text(alignCorners ? "align_corners" : "half_pixel"),
            ],
            name: "\(x.name).at\(stride)")
        return result(Map(name: output, channels: x.channels, stride: stride), of: [x])
    }

    func mean(_ x: Map, named name: String) -> Map {
        let output = builder.node("GlobalAveragePool", [x.name], name: name)
        return result(Map(name: output, channels: x.channels, stride: x.stride), of: [x])
    }

    func join(_ maps: [Map], named name: String) -> Map { result(concatenated(maps, named: name), of: maps) }

    private func concatenated(_ maps: [Map], named name: String) -> Map {
        let output = builder.node("Concat", maps.map(\.name), ["axis": .integer(1)], name: name)
        return Map(name: output, channels: maps.reduce(0) { $0 + $1.channels }, stride: maps[0].stride)
    }

    func add(_ x: Map, _ y: Map, named name: String) -> Map { result(sum(x, y, named: name), of: [x, y]) }

    private func sum(_ x: Map, _ y: Map, named name: String) -> Map {
        Map(name: builder.node("Add", [x.name, y.name], name: name), channels: x.channels, stride: x.stride)
    }

    func zeros(channels: Int, stride: Int, like x: Map, named name: String) -> Map {
        let shape = extent.shape(channels: channels, stride: stride)
        let map = Map(name: builder.node("ConstantOfShape", [shape], name: name), channels: channels, stride: stride)
        return result(map, of: [x])
    }
}
