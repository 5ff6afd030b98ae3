/// An inverted residual block: 1x1 to more channels, depthwise, 1x1 to fewer; each with its batch norm.
public struct InvertedResidualLayout: Hashable, Sendable {
    /// The stage, counted from 0.
    public let stage: Int
    /// The place in the stage, counted from 0.
    public let place: Int
    /// The stride of the map that comes in, against the image.
    public let inputStride: Int
    /// The 1x1 convolution to more channels, with ReLU6; none in the first block.
    public let expansion: ConvolutionLayout?
    /// The depthwise convolution, with ReLU6.
    public let depthwise: ConvolutionLayout
    /// The 1x1 convolution to fewer channels, with nothing behind it.
    public let projection: ConvolutionLayout

    /// The stride of the map that goes out, against the image.
    public var stride: Int { inputStride * depthwise.stride }

    /// Whether the block's input is added to its output.
    public var isResidual: Bool {
        depthwise.stride == 1 && (expansion ?? depthwise).inputChannels == projection.outputChannels
    }
}

/// A map that an encoder gives to a decoder.
public struct EncoderFeature: Hashable, Sendable {
    /// The block whose output it is, counted from 0: the last one at its stride.
    public let block: Int
    /// The stride against the image.
    public let stride: Int
    /// The channels.
    public let channels: Int
}

/// An encoder's convolutions as plain values, up to the head, which is not there.
public struct EncoderLayout: Hashable, Sendable {
    /// Which encoder it is.
    public let kind: EncoderKind
    /// The first convolution, with ReLU6.
    public let stem: ConvolutionLayout
    /// The blocks, one behind the other.
    public let blocks: [InvertedResidualLayout]
    /// The last map at each of the strides 2, 4, 8, 16 and 32, as far as the blocks go.
    public let features: [EncoderFeature]

    /// The layout of an encoder.
    ///
    /// - Parameters:
    ///   - kind: The encoder.
    ///   - last: The stride of the last block, 2 to 32; coarser ones are left out.
    ///   - imageChannels: Channels of the images; weights that are trained see 3.
    public init(_ kind: EncoderKind, upTo last: Int = 32, imageChannels: Int = 3) {
        precondition((2...32).contains(last), "blocks up to stride \(last)")
        self.kind = kind
        let padding = kind.family.padding
        stem = ConvolutionLayout(
            kernelSize: 3, stride: 2, inputChannels: imageChannels, outputChannels: 32, padding: padding)
        var blocks: [InvertedResidualLayout] = []
        var (channels, stride) = (stem.outputChannels, stem.stride)
        for (number, stage) in EncoderLayout.stages(of: kind).enumerated() {
            for place in 0..<stage.blocks {
                let expanded = channels * stage.expansion
                let block = InvertedResidualLayout(
                    stage: number, place: place, inputStride: stride,
                    expansion: stage.expansion == 1
                        ? nil : ConvolutionLayout(kernelSize: 1, inputChannels: channels, outputChannels: expanded),
                    depthwise: ConvolutionLayout(
                        kernelSize: stage.kernelSize, stride: place == 0 ? stage.stride : 1, inputChannels: expanded,
                        outputChannels: expanded, groups: expanded, padding: padding),
                    projection: ConvolutionLayout(
                        kernelSize: 1, inputChannels: expanded, outputChannels: stage.channels))
                if block.stride <= last { blocks.append(block) }
                (channels, stride) = (stage.channels, block.stride)
            }
        }
        self.blocks = blocks
        features = blocks.indices.filter { $0 + 1 == blocks.count || blocks[$0 + 1].stride != blocks[$0].stride }.map {
            EncoderFeature(block: $0, stride: blocks[$0].stride, channels: blocks[$0].projection.outputChannels)
        }
    }

    /// Every convolution with the stride of its output against the image, in order.
    public var convolutions: [(layout: ConvolutionLayout, stride: Int)] {
        [(stem, stem.stride)]
            + blocks.flatMap { block in
                (block.expansion.map { [($0, block.inputStride)] } ?? [])
                    + [(block.depthwise, block.stride), (block.projection, block.stride)]
            }
    }

    /// The 1x1 convolutions that bring each of ``features`` to a number of channels.
    package func adapters(to channels: [Int]) -> [ConvolutionLayout] {
        zip(features, channels).map {
            ConvolutionLayout(kernelSize: 1, inputChannels: $0.channels, outputChannels: $1)
        }
    }

    /// The map at a stride.
    public func feature(atStride stride: Int) -> EncoderFeature {
        guard let feature = features.first(where: { $0.stride == stride }) else {
            preconditionFailure("\(kind.rawValue) has no map at stride \(stride)")
        }
        return feature
    }

    /// Blocks of one kind; the stride is in the first.
    private struct Stage {
        let expansion: Int
        let kernelSize: Int
        let stride: Int
        let channels: Int
        let blocks: Int
    }

    private static func stages(of kind: EncoderKind) -> [Stage] {
        let (channels, blocks) =
            switch kind {
            case .efficientNetLite0: ([16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1])
            case .efficientNetLite1: ([16, 24, 40, 80, 112, 192, 320], [1, 3, 3, 4, 4, 5, 1])
            case .efficientNetLite2: ([16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1])
            case .mobileNetV2: ([16, 24, 32, 64, 96, 160, 320], [1, 2, 3, 4, 3, 3, 1])
            }
        let kernels =
            switch kind.family {
            case .efficientNetLite: [3, 3, 5, 3, 5, 5, 3]
            case .mobileNetV2: [3, 3, 3, 3, 3, 3, 3]
            }
        let strides = [1, 2, 2, 2, 1, 2, 1]
        return channels.indices.map {
            Stage(
                expansion: $0 == 0 ? 1 : 6, kernelSize: kernels[$0], stride: strides[$0], channels: channels[$0],
                blocks: blocks[$0])
        }
    }
}
