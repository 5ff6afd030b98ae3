import CTorch

/// Convolution of `x` `[N, C, H, W]` with `weight` `[O, C / groups, K, K]`.
public func conv2d(
    _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
    groups: Int = 1
) -> Tensor {
    withExtendedLifetime(bias) {
        Tensor.make("conv2d", x, weight) {
            ct_conv2d(
                x.handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), Int64(dilation), Int64(groups),
                $0)
        }
    }
}

/// What is done to each value behind a convolution or a batch normalisation.
public enum Activation: Hashable, Sendable {
    /// The larger of 0 and the value.
    case relu
    /// As ``relu``, and at most 6.
    case relu6

    fileprivate var number: Int32 {
        switch self {
        case .relu: Int32(CT_RELU)
        case .relu6: Int32(CT_RELU6)
        }
    }

    /// Applies it on a map's own memory.
    public func inPlace(_ x: Tensor) {
        switch self {
        case .relu: x.reluInPlace()
        case .relu6: x.relu6InPlace()
        }
    }
}

/// Normalises `x` `[N, C, H, W]` per channel, by the batch's statistics in training and by the running ones else.
///
/// In training the running statistics, where given, move towards the batch's (the variance unbiased) by `momentum`.
/// With affine parameters, on a processor, an activation behind it costs nothing.
public func batchNorm(
    _ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, runningMean: Tensor? = nil, runningVariance: Tensor? = nil,
    training: Bool, momentum: Double, eps: Double, activation: Activation? = nil
) -> Tensor {
    withExtendedLifetime((weight, bias, runningMean, runningVariance)) {
        Tensor.make("batchNorm", x) {
            ct_batch_norm(
                x.handle, weight?.handle, bias?.handle, runningMean?.handle, runningVariance?.handle, training,
                momentum, eps, activation?.number ?? Int32(CT_NO_ACTIVATION), $0)
        }
    }
}

/// Average over windows; the padding does not count.
public func averagePool2d(_ x: Tensor, kernelSize: Int, stride: Int = 1) -> Tensor {
    Tensor.make("averagePool2d", x) {
        ct_avg_pool2d(x.handle, Int64(kernelSize), Int64(stride), Int64(kernelSize / 2), $0)
    }
}

/// Largest value of each window.
public func maxPool2d(_ x: Tensor, kernelSize: Int, stride: Int = 1) -> Tensor {
    Tensor.make("maxPool2d", x) { ct_max_pool2d(x.handle, Int64(kernelSize), Int64(stride), Int64(kernelSize / 2), $0) }
}

/// Bilinear resizing of `[N, C, H, W]` to a height and width; `x` itself where it has that size.
public func interpolateBilinear(_ x: Tensor, height: Int, width: Int, alignCorners: Bool = true) -> Tensor {
    if x.size(2) == height && x.size(3) == width { return x }
    if x.device == .cpu, x.dtype == .float32 {
        return interpolate(
            x, rows: LinearPlaces(0..<height, of: height, inPlaceOf: x.size(2), alignCorners: alignCorners),
            columns: LinearPlaces(0..<width, of: width, inPlaceOf: x.size(3), alignCorners: alignCorners))
    }
    return Tensor.make("interpolateBilinear", x) {
        ct_upsample_bilinear2d(x.handle, Int64(height), Int64(width), alignCorners, $0)
    }
}

/// Places on a line of values at which it is read anew: between two neighbours each, in 32-bit floats as the engine has them.
package struct LinearPlaces {
    /// Which value each place lies at or after.
    package private(set) var indices: [Int64] = []
    /// How much the next value counts; the last one is its own.
    package private(set) var shares: [Float] = []

    /// Those of a part of `count` new values in place of `length`.
    package init(_ part: Range<Int>, of count: Int, inPlaceOf length: Int, alignCorners: Bool) {
        for index in part {
            var place: Float
            if alignCorners {
                place = count > 1 ? Float(index) * (Float(length - 1) / Float(count - 1)) : 0
            } else {
                place = max(0, (Float(index) + 0.5) * (Float(length) / Float(count)) - 0.5)
            }
            place = min(place, Float(length - 1))
            indices.append(Int64(clamping: place))
            shares.append(place - Float(indices[indices.count - 1]))
        }
    }

    /// The same, of values that begin at `start`.
    package func counted(from start: Int) -> LinearPlaces {
        var result = self
        result.indices = indices.map { $0 - Int64(start) }
        return result
    }
}

/// Maps `[N, C, h, w]` at places between their rows and columns, `[N, C, rows, columns]`.
package func interpolate(_ x: Tensor, rows: LinearPlaces, columns: LinearPlaces) -> Tensor {
    Tensor.make("interpolate", x) {
        ct_interpolate(
            x.handle, rows.indices, rows.shares, Int64(rows.indices.count), columns.indices, columns.shares,
            Int64(columns.indices.count), $0)
    }
}

/// Mean cross entropy of `logits` `[N, C, H, W]` over the labelled pixels of `labels` `[N, H, W]` (64-bit integers).
///
/// In a group of processes the mean is over the pixels of all, and the result is this process's part of it: the parts
/// add up to the loss, and their gradients to its gradients.
///
/// A batch without a labelled pixel has loss 0, and gradients of 0. With `classWeights` `[C]` every pixel counts as
/// much as its class's weight, in the sum and in the number that it is divided by: ``labelWeight(_:classWeights:ignored:dtype:)``,
/// or `total` where these pixels are part of more.
public func crossEntropy(
    _ logits: Tensor, labels: Tensor, classWeights: Tensor? = nil, ignored: Int = 255, total: Tensor? = nil
) -> Tensor {
    // Sums over pixels need more than bfloat16's 8 bits.
    let logits = logits.dtype == .bfloat16 ? logits.to(.float32) : logits
    return negativeLogLikelihood(
        logits.logSoftmax(1), labels: labels, classWeights: classWeights, ignored: ignored, total: total)
}

/// ``crossEntropy(_:labels:classWeights:ignored:total:)`` of the logits' log-softmax `[N, C, H, W]` over the classes.
public func negativeLogLikelihood(
    _ logProbabilities: Tensor, labels: Tensor, classWeights: Tensor? = nil, ignored: Int = 255, total: Tensor? = nil
) -> Tensor {
    let sum = withExtendedLifetime(classWeights) {
        Tensor.make("negativeLogLikelihood", logProbabilities, labels) {
            ct_nll_loss_sum(logProbabilities.handle, labels.handle, classWeights?.handle, Int64(ignored), $0)
        }
    }
    return sum
        / (total ?? labelWeight(labels, classWeights: classWeights, ignored: ignored, dtype: logProbabilities.dtype))
        .orOneWhereZero
}

/// How much the labelled pixels of `labels` `[N, H, W]` weigh together, in a group those of all processes.
public func labelWeight(
    _ labels: Tensor, classWeights: Tensor? = nil, ignored: Int = 255, dtype: DType = .float32
) -> Tensor {
    allReduced { pixelWeights(labels, classWeights: classWeights, ignored: ignored, dtype: dtype).sum() }
}

/// How much each pixel of `labels` `[N, H, W]` weighs, of the same shape: its class's weight of `classWeights` `[C]`, or
/// 1; 0 where the label is ignored.
public func pixelWeights(
    _ labels: Tensor, classWeights: Tensor? = nil, ignored: Int = 255, dtype: DType = .float32
) -> Tensor {
    let labelled = 1 - labels.equals(Double(ignored)).to(dtype)
    guard let classWeights else { return labelled }
    // Ignored pixels are looked up as class 0 and then taken out.
    let classes = (labels.to(dtype) * labelled).to(.int64).reshape([-1])
    return classWeights.indexSelect(0, classes).reshape(labels.shape) * labelled
}

/// How predictions and labels overlap, class by class, over the pixels of this process: what Dice losses are made of.
///
/// - Parameters:
///   - probabilities: `[N, C, H, W]`.
///   - labels: `[N, H, W]`, 64-bit integers.
///   - ignored: The label that does not count.
/// - Returns: `[3, C]`: the sum of a class's probabilities where it is the label, that over all pixels that count, and
///   the number of pixels with that label, which has no gradient.
public func classOverlaps(_ probabilities: Tensor, labels: Tensor, ignored: Int = 255) -> Tensor {
    Tensor.make("classOverlaps", probabilities, labels) {
        ct_class_overlaps(probabilities.handle, labels.handle, Int64(ignored), $0)
    }
}

/// Cross entropy of each pixel, `[N, H, W]`, times its class's weight; 0 where the label is ignored.
///
/// - Parameters:
///   - logits: `[N, C, H, W]`.
///   - labels: `[N, H, W]`, 64-bit integers.
///   - classWeights: `[C]`.
///   - smoothing: The share of the wanted distribution that is spread over all classes alike.
///   - ignored: The label that does not count.
/// - Returns: The losses, in 32 bits where the logits have 16.
public func pixelCrossEntropy(
    _ logits: Tensor, labels: Tensor, classWeights: Tensor? = nil, smoothing: Double = 0, ignored: Int = 255
) -> Tensor {
    let logits = logits.dtype == .bfloat16 ? logits.to(.float32) : logits
    return withExtendedLifetime(classWeights) {
        Tensor.make("pixelCrossEntropy", logits, labels) {
            ct_cross_entropy_per_pixel(
                logits.handle, labels.handle, classWeights?.handle, smoothing, Int64(ignored), $0)
        }
    }
}

extension Tensor {
    /// The largest `count` of all elements, unsorted.
    public func topK(_ count: Int) -> Tensor {
        Tensor.make("topK", self) { ct_topk_values(handle, Int64(count), $0) }
    }

    /// One in place of zero, for numbers that others are divided by.
    package var orOneWhereZero: Tensor {
        equals(0).choose(Tensor.ones(shape, dtype: dtype, device: device), else: self)
    }
}
