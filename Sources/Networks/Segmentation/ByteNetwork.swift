import Torch

/// A trained network that computes with integers of 8 bits, faster where the processor knows how.
///
/// Its kernels are rounded once, for the ranges that were measured, and do not follow the network's variables.
/// `@unchecked Sendable`: once it is made, nothing of it changes but what its convolutions remember, behind locks.
package final class ByteNetwork: @unchecked Sendable {
    /// Whether libtorch has what it takes on this machine.
    package static var isAvailable: Bool { ByteConvolution.isAvailable }

    private let network: SegmentationNetwork
    private let scales: [ByteScale]
    private let kernels: [ByteBackend.Place: ByteConvolution]

    /// Rounds a network's kernels.
    ///
    /// - Returns: nil where the ranges are those of another network.
    package init?(_ network: SegmentationNetwork, _ quantization: Quantization) {
        guard quantization.fits(network, on: .cpu) else { return nil }
        let images = Tensor.zeros([1, network.description.imageChannels, 65, 65])
        scales = quantization.ranges.map { ByteScale(covering: $0) }
        self.network = network
        let backend = ByteBackend(image: MapSize(of: images), scales: scales)
        withoutGradients { _ = network.coarseScores(of: backend.images(images), on: backend) }
        kernels = backend.kernels
    }

    /// Class scores, as ``SegmentationNetwork/coarseScores(_:)`` gives them.
    package func coarseScores(_ images: Tensor) -> Tensor {
        let backend = ByteBackend(image: MapSize(of: images), scales: scales, kernels: kernels)
        return withoutGradients {
            network.coarseScores(of: backend.images(images.channelsLast()), on: backend).reals
        }
    }
}
