import SearchSpace
import Torch

/// An encoder's weights from a safetensors file that another program made.
///
/// Names are those of efficientnet-lite-pytorch, of timm (`tf_efficientnet_lite0`, `mobilenetv2_100`) or of torchvision
/// (`mobilenet_v2`); the head's tensors are passed over.
public struct EncoderWeights {
    /// Which encoder they are of.
    public let kind: EncoderKind
    /// The tensors by the names that ``ImageEncoder`` gives its variables, without its place.
    public let tensors: [String: Tensor]

    /// Reads a file.
    ///
    /// - Throws: `SafetensorsError` if it can't be read, or its tensors are not the encoder's.
    public init(_ kind: EncoderKind, path: String) throws {
        let layout = EncoderLayout(kind)
        // What the file holds is compared before any of it is read.
        let shapes = Dictionary(
            uniqueKeysWithValues: try SafetensorsFile(path: path).header.entries.map { ($0.name, $0.shape) })
        let naming = EncoderNaming.allCases.first { shapes[$0.stem.conv + ".weight"] != nil }
        guard let naming else {
            throw SafetensorsError(
                file: path,
                reason:
                    "holds no encoder: no tensor is named as efficientnet-lite-pytorch, timm or torchvision name the "
                    + "first convolution")
        }
        let wanted = EncoderWeights.tensors(of: layout, named: naming)
        for tensor in wanted {
            guard let shape = shapes[tensor.foreign] else {
                throw SafetensorsError(
                    file: path, tensor: tensor.foreign,
                    reason: "is missing; \(kind.rawValue) as \(naming.rawValue) names it has one")
            }
            guard shape == tensor.shape else {
                throw SafetensorsError(
                    file: path, tensor: tensor.foreign,
                    reason: "has shape \(shape), where \(kind.rawValue) has \(tensor.shape)")
            }
        }
        let known = Set(wanted.map(\.foreign)).union(wanted.compactMap(\.counter))
        let head = naming.head(blocks: layout.blocks.count)
        let unknown = shapes.keys.filter { name in !known.contains(name) && !head.contains { name.hasPrefix($0) } }
        if let name = unknown.min() {
            throw SafetensorsError(file: path, tensor: name, reason: "is not one of \(kind.rawValue)'s")
        }
        let read = try loadTensors(path).tensors
        var tensors: [String: Tensor] = [:]
        for tensor in wanted {
            guard let value = read[tensor.foreign], value.isAllFinite else {
                throw SafetensorsError(file: path, tensor: tensor.foreign, reason: "holds NaN or infinity")
            }
            tensors[tensor.own] = value
        }
        self.kind = kind
        self.tensors = tensors
    }

    /// A tensor with its name here and in a file, and the name of the counter of batches that may lie beside it.
    private struct NamedTensor {
        let own: String
        let foreign: String
        let shape: [Int]
        var counter: String?
    }

    private static func tensors(of layout: EncoderLayout, named naming: EncoderNaming) -> [NamedTensor] {
        func unit(_ own: String, _ convolution: ConvolutionLayout, _ names: EncoderNaming.Unit) -> [NamedTensor] {
            let kernel = [
                convolution.outputChannels, convolution.inputChannels / convolution.groups, convolution.kernelSize,
                convolution.kernelSize,
            ]
            let vectors = [
                ("weight", "weight"), ("bias", "bias"), ("runningMean", "running_mean"),
                ("runningVariance", "running_var"),
            ]
            return [NamedTensor(own: own + ".conv.weight", foreign: names.conv + ".weight", shape: kernel)]
                + vectors.map {
                    NamedTensor(
                        own: "\(own).norm.\($0)", foreign: "\(names.norm).\($1)", shape: [convolution.outputChannels],
                        counter: names.norm + ".num_batches_tracked")
                }
        }
        return unit("stem", layout.stem, naming.stem)
            + layout.blocks.enumerated().flatMap { index, block in
                let names = naming.units(ofBlock: index, block)
                let expand = zip([block.expansion].compactMap { $0 }, [names.expand].compactMap { $0 })
                return expand.flatMap { unit("blocks.\(index).expand", $0, $1) }
                    + unit("blocks.\(index).depthwise", block.depthwise, names.depthwise)
                    + unit("blocks.\(index).project", block.projection, names.project)
            }
    }
}

extension ImageEncoder {
    /// Takes over weights of this encoder.
    public func load(_ weights: EncoderWeights) {
        precondition(weights.kind == layout.kind, "weights of \(weights.kind.rawValue) for \(layout.kind.rawValue)")
        withoutGradients {
            for (name, tensor) in variables { weights.tensors[name].map { tensor.copy(from: $0) } }
        }
    }
}
