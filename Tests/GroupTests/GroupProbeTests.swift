import ArchitectureSearch
import Foundation
import Networks
import SearchSpace
import Testing
import Torch

/// A fixed batch of four images, of which this process takes its part; the later ones have few labels.
private struct Share {
    let first: Int
    let count: Int

    init(rank: Int, size: Int) {
        count = 4 / size
        first = rank * count
    }

    func images(_ dtype: DType, side: Int = 41) -> Tensor {
        Tensor.normal([4, 3, side, side], generator: Generator(seed: 3), dtype: dtype)
            .narrow(0, start: first, length: count)
    }

    func labels(side: Int = 41) -> Tensor {
        let all = (0..<4 * side * side).map { place in
            let image = place / (side * side)
            return Int64(place % (image + 1) == 0 && image != 3 ? place % 3 : 255)
        }
        return Tensor(all, shape: [4, side, side]).narrow(0, start: first, length: count)
    }
}

/// A sum with gradients of what a network gives, and its running statistics.
private func differentiated(_ store: VariableStore, share: Share, _ network: (Tensor) -> Tensor) -> [Double] {
    let loss = crossEntropy(network(share.images(store.dtype)), labels: share.labels())
    let gradients = allReducedGradients(of: loss, withRespectTo: store.parameters.map(\.tensor))
    let total = loss.detach().clone()
    ProcessGroup.current?.allReduce(total)
    let parts = zip(store.parameters, gradients).flatMap { variable, gradient in
        gradient?.doubles() ?? [Double](repeating: 0, count: variable.tensor.count)
    }
    return total.doubles() + parts + store.buffers.flatMap { $0.tensor.doubles() }
}

private func supernet(_ settings: [Substring], share: Share) -> [Double] {
    var configuration = SupernetConfiguration(classes: 3)
    configuration.layers = 4
    configuration.blocks = 2
    configuration.filters = 2
    configuration.cells = settings.contains("perArrow") ? .perArrow : .perNode
    configuration.normalizesImagePooling = true
    configuration.longSkips = settings.contains("longSkips")
    let store = VariableStore(generator: Generator(seed: 1), dtype: .float64)
    let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
    let network = Supernet(configuration, store: store)
    network.recompute = settings.contains("cells") ? .cells : .none
    network.workers = settings.contains("workers") ? 3 : 1
    let generator = Generator(seed: 2)
    withoutGradients {
        for tensor in store.architecture.map(\.tensor) {
            tensor.copy(from: .normal(tensor.shape, generator: generator, dtype: .float64))
        }
    }
    return differentiated(store, share: share) { network($0, weights: relaxation.weights, mode: .training) }
}

private func discrete(share: Share) -> [Double] {
    let branch = { (input: CellInput, op: SearchSpace.Operator) in Branch(input: input, op: op) }
    let genotype = Genotype(
        path: [.s4, .s8, .s8],
        cell: Cell(blocks: [
            Block(first: branch(.previous, .separable3x3), second: branch(.previous2, .atrous3x3)),
            Block(first: branch(.block(1), .skip), second: branch(.previous, .averagePool3x3)),
        ]))
    var configuration = DiscreteConfiguration(filters: 4, classes: 3)
    (configuration.stemChannels, configuration.asppChannels) = ([4, 6, 8], 6)
    (configuration.decoderChannels, configuration.lowLevelChannels) = (7, 5)
    (configuration.dropPathKeep, configuration.dropoutKeep) = (0.6, 0.8)
    let store = VariableStore(generator: Generator(seed: 4), dtype: .float64)
    let network = DiscreteNetwork(genotype, configuration, store: store)
    let generator = Generator(seed: 5)
    return differentiated(store, share: share) {
        network($0, mode: .training, regularization: Regularization(progress: 1, generator: generator))
    }
}

/// The loss of training, a teacher's part too, with everything in it but the hardest pixels, which each process chooses for
/// itself.
private func loss(share: Share) -> [Double] {
    var loss = SegmentationLoss()
    (loss.labelSmoothing, loss.dice) = (0.1, 0.6)
    loss.classWeights = Tensor([1, 2, 0.5] as [Double], shape: [3])
    let store = VariableStore(generator: Generator(seed: 6), dtype: .float64)
    let convolution = Conv2d(store.root / "conv", inputChannels: 3, outputChannels: 3, kernelSize: 3, bias: true)
    let labels = share.labels()
    let total = loss.weight(of: [labels, labels], dtype: .float64)
    let other = VariableStore(generator: Generator(seed: 7), dtype: .float64)
    let teacher = Conv2d(other.root / "teacher", inputChannels: 3, outputChannels: 3, kernelSize: 3, bias: true)
    let (images, soft) = (share.images(.float64), DistillationLoss(temperature: 2))
    let scores = convolution(images)
    let distance = soft(
        scores, teacher: teacher(images), labels: labels, pixels: soft.pixels(of: [labels, labels], dtype: .float64))
    let value = loss(scores, labels: labels, total: total, batches: 2) + distance
    let gradients = allReducedGradients(of: value, withRespectTo: store.parameters.map(\.tensor))
    let sum = value.detach().clone()
    ProcessGroup.current?.allReduce(sum)
    return sum.doubles() + gradients.flatMap { $0?.doubles() ?? [] }
}

/// One process of a group, which `GroupTests` starts from this same test program: computes its part of a batch of four
/// images, and rank 0 writes what all got together.
@Suite("One process of a group")
struct GroupProbeTests {
    /// KIND RANK SIZE PORT OUTPUT, with spaces between them.
    static let variable = "AUTODEEPLAB_GROUP_PROBE"
    private static let task = ProcessInfo.processInfo.environment[variable]

    @Test("Its part of the batch", .enabled(if: task != nil, "is started by the tests of groups alone"))
    func part() throws {
        let words = (Self.task ?? "").split(separator: " ")
        try #require(words.count == 5)
        let (rank, size) = (try #require(Int(words[1])), try #require(Int(words[2])))
        Engine.threads = 1
        _ = try ProcessGroup.join(
            ProcessGroup.Rendezvous(
                host: "127.0.0.1", port: try #require(Int(words[3])), rank: rank, size: size, heartbeatTimeout: 30,
                timeout: 60))
        let share = Share(rank: rank, size: size)
        let settings = words[0].split(separator: "-")
        let numbers =
            switch settings.first {
            case "discrete": discrete(share: share)
            case "loss": loss(share: share)
            default: supernet(settings, share: share)
            }
        if rank == 0 {
            try numbers.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: String(words[4]))) }
        }
        ProcessGroup.leave()
    }
}
