import SearchSpace
import Torch

/// The forward pass on integers of 8 bits, for one batch of images on a processor.
///
/// Convolutions take bytes and give bytes, sums of bytes are bytes; what else there is computes with real numbers, which
/// the next convolution rounds. Class scores stay real numbers: classes are told apart by small differences.
final class ByteBackend: ForwardBackend {
    /// A map `[N, C, H, W]` as bytes, as real numbers, or both; each is made of the other when first asked for.
    final class Map {
        /// What its bytes stand for.
        let scale: ByteScale
        /// Whether it was computed as bytes.
        let isOfBytes: Bool
        let shape: [Int]
        private(set) lazy var bytes: Tensor = reals.bytes(scale)
        private(set) lazy var reals: Tensor = bytes.reals(scale)

        init(bytes: Tensor, _ scale: ByteScale) {
            (self.scale, isOfBytes, shape) = (scale, true, bytes.shape)
            self.bytes = bytes
        }

        init(reals: Tensor, _ scale: ByteScale) {
            (self.scale, isOfBytes, shape) = (scale, false, reals.shape)
            self.reals = reals
        }
    }

    /// A convolution, or the part of one behind the channels that come before it, for inputs of a scale.
    struct Place: Hashable {
        let convolution: ObjectIdentifier
        let firstChannel: Int
        let scale: ByteScale
    }

    /// The rounded kernels of all convolutions that have been asked for.
    private(set) var kernels: [Place: ByteConvolution]
    private let scales: [ByteScale]
    private let tensors: TensorBackend
    private var next = 0

    /// - Parameters:
    ///   - image: The images' size.
    ///   - scales: Of the images and then of each operation's result, as ``RangeRecorder`` counts them.
    ///   - kernels: Those that are rounded already.
    init(image: MapSize, scales: [ByteScale], kernels: [Place: ByteConvolution] = [:]) {
        tensors = TensorBackend(image: image, mode: .evaluation)
        self.scales = scales
        self.kernels = kernels
    }

    /// Real images `[N, channels, H, W]`.
    func images(_ images: Tensor) -> Map { Map(reals: images, nextScale()) }

    private func nextScale() -> ByteScale {
        precondition(next < scales.count, "ranges of another network")
        defer { next += 1 }
        return scales[next]
    }

    private func kernel(
        _ convolution: Conv2d, firstChannel: Int = 0, for x: Map, _ parameters: () -> (weight: Tensor, bias: Tensor?)
    ) -> ByteConvolution {
        let place = Place(convolution: ObjectIdentifier(convolution), firstChannel: firstChannel, scale: x.scale)
        if let known = kernels[place] { return known }
        let (weight, bias) = parameters()
        let made = ByteConvolution(convolution, weight: weight, bias: bias, input: x.scale)
        kernels[place] = made
        return made
    }

    // MARK: Convolutions

    func convolve(_ x: Map, by convolution: Conv2d) -> Map {
        let scale = nextScale()
        if SegmentationNetwork.classLayer.contains(convolution.name + ".weight") {
            return Map(reals: convolution(x.reals), scale)
        }
        let kernel = kernel(convolution, for: x) { (convolution.weight, convolution.bias) }
        return Map(bytes: kernel(x.bytes, output: scale), scale)
    }

    func convolve(_ x: Map, by convolution: NormalizedConv, activation: Activation?) -> Map {
        // What an activation cuts off lies outside of the range, and so of the bytes.
        let scale = nextScale()
        let kernel = kernel(convolution.conv, for: x) { convolution.foldedParameters() }
        return Map(bytes: kernel(x.bytes, output: scale), scale)
    }

    func project(
        _ maps: () -> [Map], besides pixel: () -> Map, by projection: NormalizedConv, named name: String
    ) -> Map {
        // Maps side by side have scales of their own, so each meets its part of the kernel.
        let all = maps() + [pixel()]
        var firstChannel = 0
        let parts = all.map { map in
            defer { firstChannel += map.shape[1] }
            let kernel = kernel(projection.conv, firstChannel: firstChannel, for: map) {
                let (weight, bias) = projection.foldedParameters()
                return (
                    weight.narrow(1, start: firstChannel, length: map.shape[1]).contiguous(),
                    firstChannel == 0 ? bias : nil
                )
            }
            return kernel(map.bytes, output: nil)
        }
        let sum = parts.dropFirst().reduce(parts[0], +)
        sum.reluInPlace()
        return Map(reals: sum, nextScale())
    }

    // MARK: Other operations

    func rectify(_ x: Map) -> Map {
        let scale = nextScale()
        guard x.isOfBytes else { return Map(reals: x.reals.relu(), scale) }
        return Map(bytes: x.bytes.maximum(Tensor([x.scale.zero], shape: [1])), x.scale)
    }

    func add(_ x: Map, _ y: Map, named name: String) -> Map {
        let scale = nextScale()
        guard x.isOfBytes, y.isOfBytes else { return Map(reals: x.reals + y.reals, scale) }
        return Map(bytes: addBytes(x.bytes, x.scale, y.bytes, y.scale, as: scale), scale)
    }

    func scale(_ x: Map, by factors: [Double], plus summands: [Double], named name: String) -> Map {
        Map(reals: tensors.scale(x.reals, by: factors, plus: summands, named: name), nextScale())
    }

    func pool(_ x: Map, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String) -> Map {
        Map(reals: tensors.pool(x.reals, pool, kernelSize: kernelSize, stride: stride, named: name), nextScale())
    }

    func resize(_ x: Map, toStride stride: Int, alignCorners: Bool) -> Map {
        let scale = nextScale()
        if tensors.size(atStride: stride) == MapSize(height: x.shape[2], width: x.shape[3]) { return x }
        return Map(reals: tensors.resize(x.reals, toStride: stride, alignCorners: alignCorners), scale)
    }

    func mean(_ x: Map, named name: String) -> Map {
        Map(reals: tensors.mean(x.reals, named: name), nextScale())
    }

    func join(_ maps: [Map], named name: String) -> Map {
        Map(reals: tensors.join(maps.map(\.reals), named: name), nextScale())
    }

    func zeros(channels: Int, stride: Int, like x: Map, named name: String) -> Map {
        Map(reals: tensors.zeros(channels: channels, stride: stride, like: x.reals, named: name), nextScale())
    }
}
