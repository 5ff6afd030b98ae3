import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// The operations of a network as they are noted without computing.
@Suite("Operations of networks")
struct NetworkOperationTests {
    private func check(_ network: NetworkDescription, height: Int, width: Int) {
        let operations = network.operations(height: height, width: width)
        let cost = network.cost(height: height, width: width)
        var multiplyAdds = operations.reduce(0) { $0 + $1.cost.multiplyAdds }
        // Of ASPP's projection the image's share is computed for one pixel, and counted for all.
        if case .discrete(let genotype, let configuration) = network {
            let layout = configuration.layout(of: genotype)
            if let aspp = layout.aspp {
                let size =
                    scaledSize(height, stride: aspp.stride.rawValue) * scaledSize(width, stride: aspp.stride.rawValue)
                multiplyAdds += aspp.channels * aspp.channels * (size - 1)
                #expect(operations.reduce(0) { $0 + $1.cost.parameters } == cost.parameters)
            }
            #expect(multiplyAdds == cost.multiplyAdds)
        }
    }

    @Test("Their convolutions have the parameters and multiply-adds that the layout has", arguments: 0..<8)
    func costs(seed: Int) {
        var genotype = Genotype.random(seed: UInt64(seed))
        // What no branch reads is counted and not computed.
        genotype.cell.blocks[0] = Block(
            first: Branch(input: .previous, op: .skip), second: Branch(input: .previous2, op: .atrous3x3))
        for configuration in DiscreteConfiguration.heads {
            check(.discrete(genotype, configuration), height: 65, width: 97)
        }
        check(.discrete(.everything, .tiny()), height: 70, width: 45)
        check(.discrete(.everything, .tinyResidual), height: 70, width: 45)
        for kind in EncoderKind.allCases {
            check(.discrete(genotype.on(.encoder(kind)), .tiny()), height: 65, width: 97)
            check(.discrete(Genotype.everything.on(.encoder(kind)), .tiny()), height: 70, width: 45)
        }
    }

    @Test("They are those of a pass on tensors: as many, on maps of the same sizes")
    func sameMaps() {
        let genotype = Genotype.everything
        let description = NetworkDescription.discrete(genotype, .tiny())
        let network = network(genotype, dtype: .float32)
        let recorder = OperationRecorder(height: 64, width: 97)
        var shapes: [[Int]] = []
        _ = network.scores(of: MapShape(channels: 3, height: 64, width: 97), on: recorder) {
            shapes.append([1, $1.channels, $1.height, $1.width])
        }
        var maps: [[Int]] = []
        _ = network.forward(images([1, 3, 64, 97], dtype: .float32), mode: .evaluation) { maps.append($1.shape) }
        #expect(shapes == maps)
        // A store without memory makes no difference.
        #expect(recorder.operations == description.operations(height: 64, width: 97))
        for operation in recorder.operations {
            guard case .convolution(let layout, _, let map) = operation else { continue }
            #expect(layout.inputChannels == map.channels, "\(operation.key)")
        }
    }

    @Test("A residual connection is a sum more, and costs no multiply-adds")
    func residual() {
        let (plain, residual) = (DiscreteConfiguration.tiny(), DiscreteConfiguration.tinyResidual)
        func operations(_ configuration: DiscreteConfiguration) -> [NetworkOperation] {
            NetworkDescription.discrete(.everything, configuration).operations(height: 65, width: 97)
        }
        let (less, more) = (operations(plain), operations(residual))
        let map = MapShape(channels: 12 * 32, height: 3, width: 4)
        let sums = [less, more].map { $0.count { $0 == .add(map, pixel: false) } }
        #expect(more.count == less.count + 1 && sums == [0, 1])
        let costs = [plain, residual].map { NetworkDescription.discrete(.everything, $0).cost(height: 65, width: 97) }
        #expect(costs[0] == costs[1])
    }

    @Test("An encoder's operations have the multiply-adds that its layout has", arguments: DecoderKind.allCases)
    func encoders(decoder: DecoderKind) {
        let network = NetworkDescription.encoded(EncodedConfiguration(.mobileNetV2, decoder, classes: 3))
        let operations = network.operations(height: 65, width: 65)
        let counted = operations.reduce(0) { $0 + $1.cost.parameters }
        var unused = 0
        if case .encoded(let configuration) = network, case .searched(let own) = configuration.layout.decoder {
            let read = Set(own.genotype.blocks.flatMap(\.maps))
            unused = own.adapters.indices.filter { !read.contains($0) }.reduce(0) { $0 + own.adapters[$1].parameters }
            let work = operations.reduce(0) { $0 + $1.cost.multiplyAdds }
            #expect(work == network.cost(height: 65, width: 65).multiplyAdds)
        }
        #expect(counted + unused == network.cost(height: 65, width: 65).parameters)
    }

    @Test("Keys tell apart what takes different times, and nothing else")
    func keys() {
        let operations = NetworkDescription.discrete(.everything, .tiny()).operations(height: 65, width: 97)
        let timed = Set(
            operations.map { operation -> NetworkOperation in
                guard case .convolution(let layout, let activation, let map) = operation else { return operation }
                // Folded, a normalisation is a bias.
                let plain = ConvolutionLayout(
                    kernelSize: layout.kernelSize, stride: layout.stride, dilation: layout.dilation,
                    inputChannels: layout.inputChannels, outputChannels: layout.outputChannels, groups: layout.groups,
                    bias: layout.bias || layout.normalized, normalized: false, padding: layout.padding)
                return .convolution(plain, activation: activation, of: map)
            })
        #expect(Set(operations.map(\.key)).count == timed.count)
    }

    @Test("A separable convolution of up to 64 channels is one operation, of more it is two", arguments: [64, 65])
    func separable(channels: Int) {
        let branch = Branch(input: .previous, op: .separable5x5)
        let genotype = Genotype(path: [.s4], cell: Cell(blocks: [Block(first: branch, second: branch)]))
        let configuration = DiscreteConfiguration(filters: channels, classes: 3)
        let operations = NetworkDescription.discrete(genotype, configuration).operations(height: 65, width: 97)
        let map = MapShape(channels: channels, height: 17, width: 25)
        let layouts = Operator.separable5x5.convolutions(channels: channels, stride: 1)
        let whole = NetworkOperation.separable(depthwise: layouts[0], pointwise: layouts[1], of: map)
        let depthwise = NetworkOperation.convolution(layouts[0], activation: nil, of: map)
        // Two branches, in each of which the operator has two.
        #expect(operations.count { $0 == whole } == (channels > 64 ? 0 : 4))
        #expect(operations.count { $0 == depthwise } == (channels > 64 ? 4 : 0))
        #expect(whole.cost.parameters == layouts[0].parameters + layouts[1].parameters)
        #expect(whole.cost.multiplyAdds == (25 * channels + channels * channels) * 17 * 25)
    }

    @Test("Every operation can be computed by itself, to the map that the network has")
    func bodies() {
        let operations = NetworkDescription.discrete(.everything, .tiny()).operations(height: 33, width: 33)
        let times = TensorMeter(device: .cpu, threads: 1, rounds: 1).milliseconds(of: operations)
        #expect(times.count == operations.count && times.allSatisfy { $0 >= 0 })
    }
}
