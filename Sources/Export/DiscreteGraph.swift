import Networks
import SearchSpace
import Torch

/// The discrete network as nodes (ALGORITHM 8), batch normalisation folded into the convolutions before it.
struct DiscreteGraph {
    private let network: DiscreteNetwork
    private let builder: GraphBuilder
    private let extent: ImageExtent
    private let tensors: [String: Tensor]

    /// The output of a node, `[N, channels, ceil(H / stride), ceil(W / stride)]`.
    private struct Map {
        let name: String
        let channels: Int
        let stride: Int
    }

    /// The nodes of a network for images of this extent go to the builder.
    init(_ network: DiscreteNetwork, extent: ImageExtent, builder: GraphBuilder) {
        self.network = network
        self.builder = builder
        self.extent = extent
        tensors = network.store.state
    }

    private var layout: NetworkLayout { network.layout }

    /// Adds the nodes.
    ///
    /// - Parameter images: The images, `[N, 3, H, W]` with values 2x / 255 - 1.
    /// - Returns: The name of the scores `[N, classes, H, W]`.
    func scores(of images: String) -> String {
        let image = Map(name: images, channels: 3, stride: 1)
        let first = normalized(image, layout.stem[0], "stem.1", eps: network.configuration.backboneEpsilon)
        var previous2 = normalized(
            relu(first), layout.stem[1], "stem.2", eps: network.configuration.backboneEpsilon)
        var previous = normalized(
            relu(previous2), layout.stem[2], "stem.3", eps: network.configuration.backboneEpsilon)
        var lowLevel = previous
        for cell in layout.cells {
            let output = add(cell, previous: previous, previous2: previous2)
            if cell.layer == layout.decoder.lowLevelLayer { lowLevel = output }
            (previous2, previous) = (previous, output)
        }
        return resize(decode(pooled: pool(relu(previous)), lowLevel: lowLevel), to: 1).name
    }

    // MARK: Cells

    private func add(_ cell: CellLayout, previous: Map, previous2: Map) -> Map {
        let path = "cells.\(cell.layer)"
        func project(_ map: Map, _ convolution: ConvolutionLayout?, _ name: String) -> Map {
            let resized = resize(map, to: cell.inputStride.rawValue)
            return convolution.map { unit([$0], of: relu(resized), "\(path).\(name)") } ?? resized
        }
        // Lazy, since a cell need not read both.
        lazy var projected = project(previous, cell.previousProjection, "previous")
        lazy var projected2 = project(previous2, cell.previous2Projection, "previous2")
        var blocks: [Map] = []
        for (index, block) in layout.genotype.cell.blocks.enumerated() {
            let name = "\(path).block\(index + 1)"
            let terms = zip(["first", "second"], block.branches).compactMap { side, branch -> Map? in
                guard branch.op != .none else { return nil }
                let input =
                    switch branch.input {
                    case .previous: projected
                    case .previous2: projected2
                    case .block(let number): blocks[number - 1]
                    }
                return add(branch, of: input, in: cell, "\(name).\(side)")
            }
            blocks.append(sum(terms, of: cell, name))
        }
        return Map(
            name: builder.node("Concat", blocks.map(\.name), ["axis": .integer(1)], name: path),
            channels: cell.outputChannels, stride: cell.stride.rawValue)
    }

    private func add(_ branch: Branch, of input: Map, in cell: CellLayout, _ path: String) -> Map {
        let stride = cell.operatorStride(of: branch.input)
        let units = layout.convolutions(of: branch, in: cell).split(after: \.normalized)
        var map: Map
        switch branch.op.form {
        case .none: preconditionFailure("\(path) gives nothing")
        case .skip where units.isEmpty: return input
        case .pool(let pool, let kernel): return add(pool, kernel, stride: stride, of: input, path)
        // A strided atrous convolution has stride 1 itself: its input is resized.
        case .atrous where stride > 1: map = resize(relu(input), to: cell.stride.rawValue)
        case .separable, .atrous, .skip: map = relu(input)
        }
        for (index, convolutions) in units.enumerated() {
            map = unit(convolutions, of: index == 0 ? map : relu(map), "\(path).\(index + 1)")
        }
        return map
    }

    private func add(_ pool: Operator.Pool, _ kernel: Int, stride: Int, of map: Map, _ path: String) -> Map {
        let kind =
            switch pool {
            case .average: "AveragePool"
            case .maximum: "MaxPool"
            }
        let padding = kernel / 2
        let name = builder.node(
            kind, [map.name],
            [
                "kernel_shape": .integers([kernel, kernel]), "pads": .integers([padding, padding, padding, padding]),
                "strides": .integers([stride, stride]),
            ], name: path)
        return Map(name: name, channels: map.channels, stride: map.stride * stride)
    }

    private func sum(_ terms: [Map], of cell: CellLayout, _ name: String) -> Map {
        guard let first = terms.first else {
            let shape = extent.shape(channels: cell.blockChannels, stride: cell.stride.rawValue)
            let zeros = builder.node("ConstantOfShape", [shape], name: name)
            return Map(name: zeros, channels: cell.blockChannels, stride: cell.stride.rawValue)
        }
        return terms.dropFirst().reduce(first) {
            Map(
                name: builder.node("Add", [$0.name, $1.name], name: name), channels: first.channels,
                stride: first.stride)
        }
    }

    /// One or two convolutions of a rectified map; the last is normalised.
    private func unit(_ convolutions: [ConvolutionLayout], of map: Map, _ path: String) -> Map {
        convolutions.reduce(map) { map, convolution in
            let name = "\(path).\(convolution.unitName)"
            let folded: (weight: Tensor, bias: Tensor?) =
                convolution.normalized
                ? fold(name, norm: path + ".norm", eps: network.configuration.backboneEpsilon)
                : (tensor("\(name).weight"), nil)
            return convolve(map, convolution, folded.weight, bias: folded.bias, name)
        }
    }

    // MARK: Heads

    private func pool(_ map: Map) -> Map {
        let eps = network.configuration.headEpsilon
        let aspp = layout.aspp
        var branches = [relu(normalized(map, aspp.pointwise, "aspp.point", eps: eps))]
        for (index, convolution) in aspp.atrous.enumerated() {
            branches.append(relu(normalized(map, convolution, "aspp.atrous\(index + 1)", eps: eps)))
        }
        let mean = builder.node("GlobalAveragePool", [map.name], name: "aspp.image.mean")
        let image = relu(
            normalized(
                Map(name: mean, channels: map.channels, stride: map.stride), aspp.pointwise, "aspp.image", eps: eps))
        let joined = builder.node("Concat", branches.map(\.name), ["axis": .integer(1)], name: "aspp")
        // The image's mean is the same at every pixel: its share of the projection is computed once and added.
        let (weight, bias) = fold("aspp.projection.conv", norm: "aspp.projection.norm", eps: eps)
        let channels = aspp.channels * branches.count
        func part(_ map: String, _ start: Int, _ count: Int, bias: Tensor?, _ name: String) -> Map {
            convolve(
                Map(name: map, channels: count, stride: aspp.stride.rawValue), aspp.projection,
                weight.narrow(1, start: start, length: count), bias: bias, name)
        }
        let ofMap = part(joined, 0, channels, bias: bias, "aspp.projection.conv")
        let ofImage = part(image.name, channels, aspp.channels, bias: nil, "aspp.projection.image")
        let sum = builder.node("Add", [ofMap.name, ofImage.name], name: "aspp.projection")
        return relu(Map(name: sum, channels: aspp.channels, stride: map.stride))
    }

    private func decode(pooled: Map, lowLevel: Map) -> Map {
        let eps = network.configuration.headEpsilon
        let decoder = layout.decoder
        let context = resize(pooled, to: lowLevel.stride)
        let reduced = relu(normalized(lowLevel, decoder.reduction, "decoder.lowLevel", eps: eps))
        let joined = builder.node("Concat", [context.name, reduced.name], ["axis": .integer(1)], name: "decoder")
        var map = Map(name: joined, channels: context.channels + reduced.channels, stride: lowLevel.stride)
        for (index, convolution) in decoder.refinement.enumerated() {
            map = relu(normalized(map, convolution, "decoder.refine\(index + 1)", eps: eps))
        }
        return convolve(
            map, decoder.logits, tensor("decoder.logits.weight"), bias: tensor("decoder.logits.bias"), "decoder.logits")
    }

    // MARK: Operations

    /// Convolution and normalisation, without ReLU.
    private func normalized(_ map: Map, _ layout: ConvolutionLayout, _ path: String, eps: Double) -> Map {
        let (weight, bias) = fold("\(path).conv", norm: "\(path).norm", eps: eps)
        return convolve(map, layout, weight, bias: bias, path)
    }

    private func convolve(
        _ map: Map, _ layout: ConvolutionLayout, _ weight: Tensor, bias: Tensor?, _ name: String
    ) -> Map {
        let padding = layout.dilation * (layout.kernelSize - 1) / 2
        var inputs = [map.name, builder.weights(weight, name: name + ".weight")]
        if let bias { inputs.append(builder.weights(bias, name: name + ".bias")) }
        let output = builder.node(
            "Conv", inputs,
            [
                "kernel_shape": .integers([layout.kernelSize, layout.kernelSize]),
                "strides": .integers([layout.stride, layout.stride]),
                "dilations": .integers([layout.dilation, layout.dilation]),
                "pads": .integers([padding, padding, padding, padding]), "group": .integer(layout.groups),
            ], name: name)
        return Map(name: output, channels: layout.outputChannels, stride: map.stride * layout.stride)
    }

    private func relu(_ map: Map) -> Map {
        Map(
            name: builder.node("Relu", [map.name], name: map.name + ".relu"), channels: map.channels,
            stride: map.stride)
    }

    /// Bilinear, corners aligned; maps of one stride have one size.
    private func resize(_ map: Map, to stride: Int) -> Map {
        if map.stride == stride { return map }
        let shape = extent.shape(channels: map.channels, stride: stride)
        let output = builder.node(
            "Resize", [map.name, "", "", shape],
            ["mode": .text("linear"), "coordinate_transformation_mode": .text("align_corners")],
            name: "\(map.name).at\(stride)")
        return Map(name: output, channels: map.channels, stride: stride)
    }

    // MARK: Weights

    private func tensor(_ name: String) -> Tensor {
        guard let tensor = tensors[name] else { preconditionFailure("the network has no \(name)") }
        return tensor
    }

    /// The kernel and the bias that do what a convolution and its batch normalisation do in evaluation.
    private func fold(_ convolution: String, norm: String, eps: Double) -> (weight: Tensor, bias: Tensor?) {
        withoutGradients {
            func vector(_ name: String) -> Tensor { tensor("\(norm).\(name)").to(.float64) }
            let scale = vector("weight") / (vector("runningVariance") + eps).sqrt()
            let weight = tensor("\(convolution).weight").to(.float64) * scale.reshape([-1, 1, 1, 1])
            return (weight, vector("bias") - vector("runningMean") * scale)
        }
    }
}
