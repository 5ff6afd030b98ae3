import Foundation
import Networks
import SwiftProtobuf
import Torch

/// What an ONNX model takes and gives.
public struct ONNXOptions: Hashable, Sendable {
    /// Height and width of the one image; nil leaves them, and the number of images, open.
    public var size: Size?
    /// Whether the images are bytes `pixels` `[N, H, W, channels]`, which the model itself normalises and pads to 32 n + 1
    /// pixels as `predict` does; else it takes floats `image` `[N, channels, H, W]`, normalised, colours by 2x / 255 - 1.
    public var takesBytes: Bool
    /// What those bytes x are normalised by, `x * factor - shift`, for all channels or one for each.
    public var factors = [Float(2) / 255]
    /// See ``factors``.
    public var shifts = [Float(1)]
    /// How those bytes are resized first, and the result back to their size.
    public var resizing = Resizing.none
    /// Whether the model gives the class of each pixel, bytes `labels` `[N, H, W]`; else floats `scores`
    /// `[N, classes, H, W]`, before any softmax.
    public var givesLabels: Bool

    /// Height and width in pixels.
    public struct Size: Hashable, Sendable {
        /// Rows of pixels.
        public var height: Int
        /// Columns of pixels.
        public var width: Int

        /// A size.
        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    /// Floats in, scores out, of any size, unless told otherwise.
    public init(size: Size? = nil, takesBytes: Bool = false, givesLabels: Bool = false) {
        self.size = size
        self.takesBytes = takesBytes
        self.givesLabels = givesLabels
    }
}

/// Why a network cannot be exported, in one line.
public struct ExportError: Error, CustomStringConvertible, Hashable, Sendable {
    /// The line.
    public let description: String
}

/// A segmentation network as an ONNX model: opset 17, 32-bit floats, batch normalisation folded.
///
/// - Parameters:
///   - network: The network, whose running statistics are used.
///   - options: What the model takes and gives.
///   - metadata: Free text by key, for those who use the model.
///   - producerVersion: The version of the program that asks.
///   - quantization: Between what values results lie, for a model of 8-bit integers in QDQ form; nil for real numbers.
/// - Returns: The file's bytes.
/// - Throws: ``ExportError`` where the classes do not fit into bytes or the model not into the format's 2 GiB.
public func onnxModel(
    of network: SegmentationNetwork, options: ONNXOptions = ONNXOptions(), metadata: [String: String] = [:],
    producerVersion: String = "", quantization: Quantization? = nil
) throws -> Data {
    let classes = network.description.classes
    if options.givesLabels && classes > 256 {
        throw ExportError(
            description: "\(classes) classes do not fit into bytes: export scores instead of labels")
    }
    let builder = GraphBuilder()
    addNodes(
        of: network, options: options, to: builder, quantizer: quantization.map { Quantizer($0, builder: builder) })
    let model = Autodeeplab_Onnx_ModelProto.with {
        $0.irVersion = 8
        $0.producerName = "Auto-DeepLab in Swift"
        $0.producerVersion = producerVersion
        $0.opsetImport = [.with { $0.version = 17 }]
        $0.graph = builder.graph
        $0.graph.name = "autodeeplab"
        $0.metadataProps = metadata.sorted { $0.key < $1.key }.map { entry in
            .with {
                $0.key = entry.key
                $0.value = entry.value
            }
        }
    }
    do {
        return try model.serializedData()
    } catch {
        throw ExportError(description: "the network is too large for an ONNX file, which may have 2 GiB")
    }
}

private func addNodes(
    of network: SegmentationNetwork, options: ONNXOptions, to builder: GraphBuilder, quantizer: Quantizer?
) {
    typealias Dimension = GraphBuilder.Dimension
    let classes = network.description.classes
    let channels = network.description.imageChannels
    let batch = options.size == nil ? Dimension.named("N") : .fixed(1)
    let height = options.size.map { Dimension.fixed($0.height) } ?? .named("H")
    let width = options.size.map { Dimension.fixed($0.width) } ?? .named("W")

    var images = options.takesBytes ? "pixels" : "image"
    if options.takesBytes {
        builder.input(images, .uint8, [batch, height, width, .fixed(channels)])
        images = channelsFirst(images, builder)
    } else {
        builder.input(images, .float, [batch, .fixed(channels), height, width])
    }
    let whole =
        options.size.map { ImageExtent(height: $0.height, width: $0.width, builder: builder) }
        ?? ImageExtent(of: images, builder: builder)
    let seen = options.takesBytes ? resize(&images, whole, options, builder) : whole
    if options.takesBytes { images = normalize(images, options, builder) }
    var extent = seen
    var isPadded = false
    if options.takesBytes, case (let aligned, let padding?) = seen.aligned {
        let pads = builder.node(
            "Concat", [builder.constant([0, 0, 0, 0, 0, 0]), padding], ["axis": .integer(0)], name: "pads")
        images = builder.node("Pad", [images, pads], name: "padded")
        extent = aligned
        isPadded = true
    }
    let backend = GraphBackend(extent: extent, builder: builder, quantizer: quantizer)
    // An encoder scales colours first.
    let seenImages = backend.images(
        GraphBackend.Map(name: images, channels: channels, stride: 1), areScaled: network.encoder?.seesColors ?? false)
    var result = network.scores(of: seenImages, on: backend).name
    if isPadded {
        result = builder.node(
            "Slice", [result, builder.constant([0, 0]), seen.size, builder.constant([2, 3])], name: "cropped")
    }
    if options.takesBytes && options.resizing != .none {
        result = builder.node(
            "Resize", [result, "", "", whole.shape(channels: classes, stride: 1)],
            ["mode": .text("linear"), "coordinate_transformation_mode": .text("half_pixel")], name: "back")
    }
    if options.givesLabels {
        let index = builder.node("ArgMax", [result], ["axis": .integer(1), "keepdims": .integer(0)], name: "index")
        result = builder.node("Cast", [index], ["to": .integer(2)], name: "bytes")
        builder.output(result, as: "labels", .uint8, [batch, height, width])
    } else {
        builder.output(result, as: "scores", .float, [batch, .fixed(classes), height, width])
    }
}

/// Resizes images `[N, channels, H, W]`; the extent that they have then.
private func resize(
    _ images: inout String, _ whole: ImageExtent, _ options: ONNXOptions, _ builder: GraphBuilder
) -> ImageExtent {
    let new: ImageExtent
    var shrinking: ImageResizing.Shrinking?
    switch options.resizing {
    case .none: return whole
    case .factor(let factor): new = whole.resized(by: factor, builder: builder)
    case .size(let size):
        new = ImageExtent(height: size.height, width: size.width, builder: builder)
        shrinking = options.size.flatMap { ImageResizing.Shrinking(from: $0, to: size) }
    }
    images = ImageResizing(builder: builder).resize(images, from: whole, to: new, shrinking: shrinking)
    return new
}

/// Bytes `[N, H, W, channels]` as floats `[N, channels, H, W]`.
private func channelsFirst(_ pixels: String, _ builder: GraphBuilder) -> String {
    let floats = builder.node("Cast", [pixels], ["to": .integer(1)], name: "pixels.float")
    return builder.node("Transpose", [floats], ["perm": .integers([0, 3, 1, 2])], name: "pixels.image")
}

/// Values x of 0 to 255 to `x * factor - shift`, for colours 2x / 255 - 1.
private func normalize(_ images: String, _ options: ONNXOptions, _ builder: GraphBuilder) -> String {
    func constant(_ values: [Float], _ name: String) -> String {
        // One for each channel has rows and columns behind it.
        builder.weights(Tensor(values, shape: values.count == 1 ? [1] : [values.count, 1, 1]), name: name)
    }
    let scaled = builder.node("Mul", [images, constant(options.factors, "pixels.scale")], name: "pixels.scaled")
    return builder.node("Sub", [scaled, constant(options.shifts, "pixels.one")], name: "pixels.shifted")
}
