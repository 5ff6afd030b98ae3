import SearchSpace
import Torch

/// Takes the times of operations.
package protocol OperationMeter: Sendable {
    /// Milliseconds of each operation, in their order.
    func milliseconds(of operations: [NetworkOperation]) -> [Double]
}

/// Times operations on tensors.
///
/// Rounds go through all operations, each once a round: so a kernel has to come from memory as far away as in a network,
/// and what disturbs the machine for a moment disturbs one time of each. The median over the rounds counts.
package struct TensorMeter: OperationMeter {
    private let device: Device
    private let threads: Int
    private let rounds: Int
    /// So many operations have their kernels and maps in memory at a time.
    private let group = 64

    /// - Parameters:
    ///   - device: Where to compute.
    ///   - threads: Threads inside an operation.
    ///   - rounds: How often each operation is timed, after once untimed.
    package init(device: Device, threads: Int, rounds: Int = 9) {
        self.device = device
        self.threads = threads
        self.rounds = rounds
    }

    package func milliseconds(of operations: [NetworkOperation]) -> [Double] {
        let before = Engine.threads
        Engine.threads = threads
        defer { Engine.threads = before }
        let watch = Stopwatch(device: device, threads: threads)
        return withoutGradients {
            stride(from: 0, to: operations.count, by: group).flatMap { start in
                let bodies = operations[start..<min(start + group, operations.count)].map { $0.body(on: device) }
                var times = [[Double]](repeating: [], count: bodies.count)
                for round in 0...rounds {
                    for (index, body) in bodies.enumerated() {
                        let time = watch.milliseconds(of: body)
                        if round > 0 { times[index].append(time) }
                    }
                }
                return times.map(Stopwatch.typical)
            }
        }
    }
}

extension NetworkOperation {
    /// What computes the operation as a network does, on inputs of its own.
    func body(on device: Device) -> () -> Tensor {
        func map(_ shape: MapShape) -> Tensor {
            Tensor.full(0.5, [1, shape.channels, shape.height, shape.width], device: device).channelsLast()
        }
        switch self {
        case .convolution(let layout, let activation, let shape):
            let store = VariableStore(generator: Generator(seed: 0), device: device)
            let (x, convolution) = (map(shape), Conv2d(store.root / "conv", layout))
            let bias =
                convolution.bias ?? (layout.normalized ? Tensor.zeros([layout.outputChannels], device: device) : nil)
            return {
                let y = convolution(x, weight: convolution.weight, bias: bias)
                activation?.inPlace(y)
                return y
            }
        case .separable(let depthwise, let pointwise, let shape):
            let store = VariableStore(generator: Generator(seed: 0), device: device)
            let (x, first) = (map(shape), Conv2d(store.root / "depthwise", depthwise))
            let second = NormalizedConv(
                Conv2d(store.root / "pointwise", pointwise),
                BatchNorm2d(
                    store.root / "norm", channels: pointwise.outputChannels, affine: false, eps: 1e-5, momentum: 0))
            second.fold()
            let backend = TensorBackend(
                image: MapSize(height: shape.height, width: shape.width), mode: .evaluation)
            return { backend.convolve(x, by: first, then: second) }
        case .rectify(let shape):
            let x = map(shape)
            return { x.relu() }
        case .scale(let shape):
            let (x, factors) = (map(shape), Tensor.full(0.5, [1, shape.channels, 1, 1], device: device))
            return { x * factors + factors }
        case .pool(let pool, let kernelSize, let stride, let shape):
            let x = map(shape)
            return { pool2d(x, pool, kernelSize: kernelSize, stride: stride) }
        case .resize(let shape, let height, let width):
            let (x, size) = (map(shape), MapSize(height: height, width: width))
            return { size.resize(x) }
        case .mean(let shape):
            let x = map(shape)
            return { x.mean([2, 3], keep: true) }
        case .join(let channels, let height, let width):
            let maps = channels.map { map(MapShape(channels: $0, height: height, width: width)) }
            return { concatenate(maps, dim: 1) }
        case .add(let shape, let pixel):
            let x = map(shape)
            let y = pixel ? map(MapShape(channels: shape.channels, height: 1, width: 1)) : map(shape)
            return { x + y }
        case .zeros(let shape):
            return { Tensor.zeros([1, shape.channels, shape.height, shape.width], device: device).channelsLast() }
        }
    }
}
