import Torch

/// Between what values the results of a network's operations lie, by which integers of 8 bits can stand for them.
public struct Quantization: Hashable, Sendable {
    /// Of the images and then of each operation, in the order of the forward pass.
    package let ranges: [ClosedRange<Float>]

    /// The ranges of one pass, as ``RangeRecorder`` notes them.
    package init(ranges: [ClosedRange<Float>]) { self.ranges = ranges }

    /// The ranges of a pass over images `[N, channels, H, W]`.
    package init(of network: SegmentationNetwork, for images: Tensor) {
        let recorder = RangeRecorder(images: images)
        withoutGradients { _ = network.scores(of: images, on: recorder) }
        self.init(ranges: recorder.ranges)
    }

    /// Whether they are those of a network's operations: as many.
    ///
    /// - Parameters:
    ///   - network: The network.
    ///   - device: Where it computes.
    /// - Returns: Whether there is one range for each.
    package func fits(_ network: SegmentationNetwork, on device: Device) -> Bool {
        let images = Tensor.zeros([1, network.description.imageChannels, 65, 65], device: device)
        return Quantization(of: network, for: images).ranges.count == ranges.count
    }

    /// The mean ends of the ranges of several passes of one network, which one unusual image does not widen; nil of none.
    package static func mean(of passes: [Quantization]) -> Quantization? {
        guard let first = passes.first else { return nil }
        let count = Float(passes.count)
        return Quantization(
            ranges: first.ranges.indices.map { index in
                let ranges = passes.map { $0.ranges[index] }
                let (least, largest) = (
                    ranges.reduce(0) { $0 + $1.lowerBound / count }, ranges.reduce(0) { $0 + $1.upperBound / count }
                )
                return least...max(least, largest)
            })
    }
}

/// As pairs of the least and the largest value.
extension Quantization: Codable {
    /// Reads pairs of finite numbers, the lower one first.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let pairs = try container.decode([[Float]].self)
        ranges = try pairs.map { pair in
            guard pair.count == 2, pair[0].isFinite, pair[1].isFinite, pair[0] <= pair[1] else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(pair) is no range")
            }
            return pair[0]...pair[1]
        }
    }

    /// Writes pairs.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ranges.map { [$0.lowerBound, $0.upperBound] })
    }
}
