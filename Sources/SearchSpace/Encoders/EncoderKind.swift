/// An image classifier whose blocks can be had trained on ImageNet, without its head.
public enum EncoderKind: String, CaseIterable, Codable, Hashable, Sendable {
    /// EfficientNet-Lite0.
    case efficientNetLite0 = "efficientnet-lite0"
    /// EfficientNet-Lite1: deeper.
    case efficientNetLite1 = "efficientnet-lite1"
    /// EfficientNet-Lite2: deeper and wider.
    case efficientNetLite2 = "efficientnet-lite2"
    /// MobileNetV2, width 1.
    case mobileNetV2 = "mobilenet-v2"

    /// What encoders whose weights come from one place have in common.
    public enum Family: Hashable, Sendable {
        /// EfficientNet-Lite, trained in TensorFlow.
        case efficientNetLite
        /// MobileNetV2, trained in PyTorch.
        case mobileNetV2
    }

    /// The family, which decides how convolutions pad, how batch normalisation computes, and what values images have.
    public var family: Family {
        switch self {
        case .efficientNetLite0, .efficientNetLite1, .efficientNetLite2: .efficientNetLite
        case .mobileNetV2: .mobileNetV2
        }
    }
}

extension EncoderKind.Family {
    /// The zeros around the maps that are convolved.
    public var padding: ConvolutionPadding {
        switch self {
        case .efficientNetLite: .same
        case .mobileNetV2: .symmetric
        }
    }

    /// Added to the variance in batch normalisation.
    public var epsilon: Double {
        switch self {
        case .efficientNetLite: 1e-3
        case .mobileNetV2: 1e-5
        }
    }

    /// Share of the batch's statistics in each move of the running ones.
    public var momentum: Double {
        switch self {
        case .efficientNetLite: 0.01
        case .mobileNetV2: 0.1
        }
    }

    /// What is subtracted from red, green and blue, bytes from 0 to 255, and what they are then divided by.
    public var colors: (mean: [Double], deviation: [Double]) {
        switch self {
        case .efficientNetLite: ([127, 127, 127], [128, 128, 128])
        case .mobileNetV2:
            ([0.485, 0.456, 0.406].map { $0 * 255 }, [0.229, 0.224, 0.225].map { $0 * 255 })
        }
    }
}
