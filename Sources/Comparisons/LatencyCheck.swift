import Deployment
import Experiments
import Images
import Inference
import Networks
import Runs
import SearchSpace
import Segmentation
import Torch

/// How well the table of latencies predicts: sums of operations' times beside times of whole networks.
package struct LatencyCheck: Encodable, Equatable, Sendable {
    /// A network.
    package struct Row: Encodable, Equatable, Sendable {
        /// Its name.
        package var name: String
        /// The strides of its path; none for an encoder.
        package var path: [Int]
        /// Multiply-adds for an image.
        package var multiplyAdds: Int
        /// Milliseconds, as the sum of its operations.
        package var predicted: Double
        /// Milliseconds of the whole network, taken as an operation's are.
        package var measured: Double
        /// How far the prediction is off, as a share of what was measured.
        package var error: Double { abs(predicted / measured - 1) }

        private enum CodingKeys: String, CodingKey { case name, path, multiplyAdds, predicted, measured }

        /// A network with its times.
        package init(name: String, path: [Int], multiplyAdds: Int, predicted: Double, measured: Double) {
            self.name = name
            self.path = path
            self.multiplyAdds = multiplyAdds
            self.predicted = predicted
            self.measured = measured
        }
    }

    /// What was measured on.
    package var machine: LatencyTable.Machine
    /// Height and width of the image.
    package var size: [Int]
    /// The networks.
    package var rows: [Row]
    /// The median of the rows' errors.
    package var medianError: Double

    /// A table of rows, at least one.
    package init(machine: LatencyTable.Machine, size: [Int], rows: [Row]) {
        self.machine = machine
        self.size = size
        self.rows = rows
        let errors = rows.map(\.error).sorted()
        medianError = (errors[errors.count / 2] + errors[(errors.count - 1) / 2]) / 2
    }

    /// Predicts and measures a network, and genotypes drawn at random which have all else from it.
    ///
    /// - Parameters:
    ///   - network: The network.
    ///   - name: What it is called.
    ///   - count: How many genotypes are drawn.
    ///   - height: The image's height.
    ///   - width: Its width.
    ///   - repetitions: How often a network is timed.
    ///   - latency: What predicts.
    ///   - device: Where to compute.
    /// - Throws: `SearchSpaceError` where the network has no layers to draw others by.
    package init(
        of network: NetworkDescription, named name: String, count: Int, height: Int, width: Int, repetitions: Int,
        by latency: LatencyModel, on device: Device
    ) throws {
        var networks = [(name: name, network: network)]
        if case .discrete(let genotype, let configuration) = network, count > 0 {
            let sampler = try GenotypeSampler(
                layers: genotype.layers, blocks: genotype.blocks, atrous: genotype.atrous, stem: genotype.stem)
            var stream = RandomStream(seed: 0)
            for number in 1...count {
                networks.append(
                    ("random-\(number)", .discrete(sampler.genotype { stream.next() }, configuration)))
            }
        } else if count > 0 {
            throw SearchSpaceError(problem: "\(name) is an encoder's: only genotypes are drawn at random")
        }
        // First all that is timed by itself, so that it is timed at once.
        try latency.measure(networks.flatMap { $0.network.operations(height: height, width: width) })
        let before = Engine.threads
        Engine.threads = latency.machine.threads
        defer { Engine.threads = before }
        let watch = Stopwatch(device: device, threads: latency.machine.threads)
        let rows = try networks.map { name, network in
            let model = Model(ModelDescription(network), generator: Generator(seed: 0), device: device)
            let image = Image.noise(height: height, width: width, channels: model.channels).tensor(
                on: device, model.normalization)
            let times = withoutGradients {
                (0...repetitions).map { _ in watch.milliseconds { model.network(image, mode: .evaluation) } }
            }
            return Row(
                name: name, path: network.genotype?.path.map(\.rawValue) ?? [],
                multiplyAdds: network.cost(height: height, width: width).multiplyAdds,
                predicted: try latency.milliseconds(of: network.operations(height: height, width: width)),
                measured: Stopwatch.typical(Array(times.dropFirst())))
        }
        self.init(machine: latency.machine, size: [height, width], rows: rows)
    }
}
