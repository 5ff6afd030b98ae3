import Networks
import SearchSpace
import Torch

/// An encoder written down once more, plainly, from the published tables and by the names of the files.
struct ReferenceEncoder {
    let kind: EncoderKind
    let naming: Naming
    var weights: [String: Tensor]
    var training: Bool
    /// How many of the maps are wanted, the finest first.
    var maps = 5

    /// The blocks up to stride 4 whose variables a network has below `encoder`.
    static func first(
        of kind: EncoderKind, in variables: [String: Tensor], training: Bool
    ) -> ReferenceEncoder {
        let norms = ["expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"]
        let vectors = ["runningMean": "running_mean", "runningVariance": "running_var"]
        var weights: [String: Tensor] = [:]
        for (name, tensor) in variables where name.hasPrefix("encoder.") {
            let parts = name.split(separator: ".").map(String.init)
            let last = vectors[parts[parts.count - 1]] ?? parts[parts.count - 1]
            let isNorm = parts[parts.count - 2] == "norm"
            if parts[1] == "stem" {
                weights[(isNorm ? "_bn0." : "_conv_stem.") + last] = tensor
            } else {
                let unit = isNorm ? norms[parts[3]] ?? "" : "_\(parts[3])_conv"
                weights["_blocks.\(parts[2]).\(unit).\(last)"] = tensor
            }
        }
        return ReferenceEncoder(kind: kind, naming: .package, weights: weights, training: training, maps: 2)
    }

    enum Naming: CaseIterable { case package, timm, torchvision }

    private var isLite: Bool { kind != .mobileNetV2 }

    /// Channels and blocks of the stages.
    private var stages: [(channels: Int, blocks: Int)] {
        switch kind {
        case .efficientNetLite0: [(16, 1), (24, 2), (40, 2), (80, 3), (112, 3), (192, 4), (320, 1)]
        case .efficientNetLite1: [(16, 1), (24, 3), (40, 3), (80, 4), (112, 4), (192, 5), (320, 1)]
        case .efficientNetLite2: [(16, 1), (24, 3), (48, 3), (88, 4), (120, 4), (208, 5), (352, 1)]
        case .mobileNetV2: [(16, 1), (24, 2), (32, 3), (64, 4), (96, 3), (160, 3), (320, 1)]
        }
    }

    private var kernels: [Int] { isLite ? [3, 3, 5, 3, 5, 5, 3] : [3, 3, 3, 3, 3, 3, 3] }
    private let strides = [1, 2, 2, 2, 1, 2, 1]

    /// The shapes of all tensors by their names in files, head included.
    static func shapes(_ kind: EncoderKind, _ naming: Naming) -> [String: [Int]] {
        var result: [String: [Int]] = [:]
        func unit(_ names: (conv: String, norm: String), _ shape: [Int]) {
            result[names.conv + ".weight"] = shape
            for vector in ["weight", "bias", "running_mean", "running_var"] {
                result["\(names.norm).\(vector)"] = [shape[0]]
            }
            result[names.norm + ".num_batches_tracked"] = []
        }
        let own = ReferenceEncoder(kind: kind, naming: naming, weights: [:], training: false)
        unit(own.stem, [32, 3, 3, 3])
        var (input, index) = (32, 0)
        for (stage, size) in own.stages.enumerated() {
            for place in 0..<size.blocks {
                let inner = stage == 0 ? input : 6 * input
                let names = own.names(block: index, stage: stage, place: place)
                if stage > 0 { unit(names[0], [inner, input, 1, 1]) }
                unit(names[1], [inner, 1, own.kernels[stage], own.kernels[stage]])
                unit(names[2], [size.channels, inner, 1, 1])
                (input, index) = (size.channels, index + 1)
            }
        }
        switch naming {
        case .package: unit(("_conv_head", "_bn1"), [1_280, input, 1, 1])
        case .timm: unit(("conv_head", "bn2"), [1_280, input, 1, 1])
        case .torchvision: unit(("features.18.0", "features.18.1"), [1_280, input, 1, 1])
        }
        result[naming == .package ? "_fc.weight" : "classifier.weight"] = [10, 1_280]
        return result
    }

    /// Maps at strides 2, 4, 8, 16 and 32 of images with values 2x / 255 - 1.
    func callAsFunction(_ images: Tensor) -> [Tensor] {
        let bytes = (images + 1) * 127.5
        let mean = isLite ? [127.0, 127, 127] : [123.675, 116.28, 103.53]
        let deviation = isLite ? [128.0, 128, 128] : [58.395, 57.12, 57.375]
        var x =
            (bytes - Tensor(mean, shape: [1, 3, 1, 1])) / Tensor(deviation, shape: [1, 3, 1, 1])
        x = clipped(unit(x, stem, kernel: 3, stride: 2, groups: 1))
        var (input, index, atHand) = (32, 0, [Tensor]())
        for (stage, size) in stages.enumerated() {
            if strides[stage] == 2 { atHand.append(x) }
            if atHand.count == maps { return atHand }
            for place in 0..<size.blocks {
                let inner = stage == 0 ? input : 6 * input
                let stride = place == 0 ? strides[stage] : 1
                let names = names(block: index, stage: stage, place: place)
                var y = stage == 0 ? x : clipped(unit(x, names[0], kernel: 1, stride: 1, groups: 1))
                y = clipped(unit(y, names[1], kernel: kernels[stage], stride: stride, groups: inner))
                y = unit(y, names[2], kernel: 1, stride: 1, groups: 1)
                x = stride == 1 && input == size.channels ? x + y : y
                (input, index) = (size.channels, index + 1)
            }
        }
        return atHand + [x]
    }

    private func clipped(_ x: Tensor) -> Tensor { x.relu() - (x - 6).relu() }

    private func unit(
        _ x: Tensor, _ names: (conv: String, norm: String), kernel: Int, stride: Int, groups: Int
    ) -> Tensor {
        var pads: [Int] = []
        for side in [x.size(3), x.size(2)] {
            let symmetric = (kernel - 1) / 2
            let output = side / stride + (side % stride == 0 ? 0 : 1)
            let missing = max(0, (output - 1) * stride + kernel - side)
            pads += isLite ? [missing / 2, missing - missing / 2] : [symmetric, symmetric]
        }
        let y = conv2d(x.pad(pads), weight: get(names.conv + ".weight"), stride: stride, groups: groups)
        func vector(_ name: String) -> Tensor { get("\(names.norm).\(name)").reshape([1, -1, 1, 1]) }
        let mean = training ? y.mean([0, 2, 3], keep: true) : vector("running_mean")
        let variance = training ? ((y - mean) * (y - mean)).mean([0, 2, 3], keep: true) : vector("running_var")
        return (y - mean) / (variance + (isLite ? 0.001 : 0.00001)).sqrt() * vector("weight") + vector("bias")
    }

    private func get(_ name: String) -> Tensor { weights[name] ?? { preconditionFailure("no \(name)") }() }

    private var stem: (conv: String, norm: String) {
        switch naming {
        case .package: ("_conv_stem", "_bn0")
        case .timm: ("conv_stem", "bn1")
        case .torchvision: ("features.0.0", "features.0.1")
        }
    }

    /// Expansion, depthwise, projection.
    private func names(block: Int, stage: Int, place: Int) -> [(conv: String, norm: String)] {
        let first = stage == 0
        switch naming {
        case .package:
            let at = "_blocks.\(block)."
            return [
                (at + "_expand_conv", at + "_bn0"), (at + "_depthwise_conv", at + "_bn1"),
                (at + "_project_conv", at + "_bn2"),
            ]
        case .timm:
            let at = "blocks.\(stage).\(place)."
            return first
                ? [("", ""), (at + "conv_dw", at + "bn1"), (at + "conv_pw", at + "bn2")]
                : [(at + "conv_pw", at + "bn1"), (at + "conv_dw", at + "bn2"), (at + "conv_pwl", at + "bn3")]
        case .torchvision:
            let at = "features.\(block + 1).conv."
            return first
                ? [("", ""), (at + "0.0", at + "0.1"), (at + "1", at + "2")]
                : [(at + "0.0", at + "0.1"), (at + "1.0", at + "1.1"), (at + "2", at + "3")]
        }
    }
}
