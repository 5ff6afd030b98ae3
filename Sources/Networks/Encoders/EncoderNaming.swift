import SearchSpace

/// How a file of weights names an encoder's tensors.
enum EncoderNaming: String, CaseIterable {
    /// As efficientnet-lite-pytorch does.
    case package = "efficientnet-lite-pytorch"
    /// As timm does for `tf_efficientnet_lite0` and `mobilenetv2_100`.
    case timm
    /// As torchvision does for `mobilenet_v2`.
    case torchvision

    /// The names of a convolution and of the batch normalisation behind it.
    struct Unit {
        let conv: String
        let norm: String
    }

    /// What a name of the stem's kernel begins with, by which files are told apart.
    var stem: Unit {
        switch self {
        case .package: Unit(conv: "_conv_stem", norm: "_bn0")
        case .timm: Unit(conv: "conv_stem", norm: "bn1")
        case .torchvision: Unit(conv: "features.0.0", norm: "features.0.1")
        }
    }

    /// The names in a block, counted from 0; its expansion's are there only where it has one.
    func units(
        ofBlock index: Int, _ block: InvertedResidualLayout
    ) -> (expand: Unit?, depthwise: Unit, project: Unit) {
        func unit(_ conv: String, _ norm: String, in place: String) -> Unit {
            Unit(conv: place + conv, norm: place + norm)
        }
        let expands = block.expansion != nil
        switch self {
        case .package:
            let place = "_blocks.\(index)."
            return (
                expands ? unit("_expand_conv", "_bn0", in: place) : nil, unit("_depthwise_conv", "_bn1", in: place),
                unit("_project_conv", "_bn2", in: place)
            )
        case .timm:
            let place = "blocks.\(block.stage).\(block.place)."
            guard expands else {
                return (nil, unit("conv_dw", "bn1", in: place), unit("conv_pw", "bn2", in: place))
            }
            return (
                unit("conv_pw", "bn1", in: place), unit("conv_dw", "bn2", in: place),
                unit("conv_pwl", "bn3", in: place)
            )
        case .torchvision:
            let place = "features.\(index + 1).conv."
            guard expands else { return (nil, unit("0.0", "0.1", in: place), unit("1", "2", in: place)) }
            return (unit("0.0", "0.1", in: place), unit("1.0", "1.1", in: place), unit("2", "3", in: place))
        }
    }

    /// What the names of the head's tensors begin with, which are passed over.
    func head(blocks: Int) -> [String] {
        switch self {
        case .package: ["_conv_head.", "_bn1.", "_fc."]
        case .timm: ["conv_head.", "bn2.", "classifier."]
        case .torchvision: ["features.\(blocks + 1).", "classifier."]
        }
    }
}
