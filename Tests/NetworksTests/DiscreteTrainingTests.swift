import Foundation
import Networks
import SearchSpace
import Testing
import Torch

/// Gradients, regularisation, modes, files.
@Suite struct DiscreteTrainingTests {
    private func loss(_ network: DiscreteNetwork, _ x: Tensor) -> Tensor {
        let scores = network(x, mode: .training)
        let labels = (0..<(x.size(0) * x.size(2) * x.size(3))).map { Int64($0 % 3) }
        return crossEntropy(scores, labels: Tensor(labels, shape: [x.size(0), x.size(2), x.size(3)]))
    }

    @Test(arguments: KnownDesign.allCases) func gradientsReachEverything(design: KnownDesign) throws {
        let built = network(try design.genotype())
        let found = gradients(
            of: loss(built, images([2, 3, 65, 49])), withRespectTo: built.store.parameters.map(\.tensor))
        for (variable, gradient) in zip(built.store.parameters, found) {
            #expect((gradient?.abs().sum().item() ?? 0) > 0, "\(variable.name)")
        }
    }

    @Test(arguments: 0..<6) func gradientsReachWhatIsRead(seed: Int) {
        let genotype = Genotype.random(seed: UInt64(seed), operators: Operator.allCases.filter { $0 != .none })
        let built = network(genotype)
        let found = gradients(
            of: loss(built, images([2, 3, 65, 49])), withRespectTo: built.store.parameters.map(\.tensor))
        let read = Set(genotype.cell.blocks.flatMap(\.branches).map(\.input.name))
        for (variable, gradient) in zip(built.store.parameters, found) {
            let part = variable.name.split(separator: ".").dropFirst(2).first.map(String.init) ?? ""
            let isUnread = variable.name.hasPrefix("cells") && part.hasPrefix("previous") && !read.contains(part)
            #expect(((gradient?.abs().sum().item() ?? 0) > 0) != isUnread, "\(variable.name)")
        }
    }

    @Test func nothingIsCutOffByNoneButItsOwnBranch() {
        let genotype = Genotype(
            path: [.s4, .s8],
            cell: Cell(blocks: [
                Block(
                    first: Branch(input: .previous, op: .separable3x3), second: Branch(input: .previous2, op: .none)),
                Block(first: Branch(input: .previous2, op: .none), second: Branch(input: .previous, op: .none)),
            ]))
        let built = network(genotype)
        let found = gradients(
            of: loss(built, images([2, 3, 40, 40])), withRespectTo: built.store.parameters.map(\.tensor))
        let dead = zip(built.store.parameters, found).filter { $1 == nil }.map(\.0.name)
        #expect(!dead.isEmpty && dead.allSatisfy { $0.contains(".previous2.") })
    }

    @Test func learns() {
        let built = network(Genotype(path: [.s4, .s8], cell: .published), dtype: .float32)
        let x = images([2, 3, 33, 33], dtype: .float32)
        let optimizer = SGD(
            groups: [ParameterGroup(parameters: built.store.parameters, weightDecay: 0)], momentum: 0.9)
        let labels = x.select(1, 0).isLess(than: 0).to(.int64)
        var losses: [Double] = []
        for step in 0..<30 {
            let loss = crossEntropy(
                built(
                    x, mode: .training,
                    regularization: Regularization(progress: Double(step) / 30, generator: Generator(seed: 1))),
                labels: labels)
            losses.append(loss.item())
            optimizer.step(gradients(of: loss, withRespectTo: optimizer.parameters), rate: 0.05)
        }
        #expect(losses[29] < 0.8 * losses[0], "\(losses[0]) to \(losses[29])")
    }

    @Test func evaluationIsDeterministicAndChangesNothing() {
        let built = network(.everything, dtype: .float32)
        randomizeVectors(of: built.store, seed: 2)
        let before = built.store.state.mapValues { $0.floats() }
        let x = images([2, 3, 45, 38], dtype: .float32)
        let first = built(x, mode: .evaluation).floats()
        #expect(built(x, mode: .evaluation).floats() == first)
        // Samples do not see each other.
        let alone = built(x.narrow(0, start: 1, length: 1), mode: .evaluation)
        #expect(relativeDifference(alone, built(x, mode: .evaluation).narrow(0, start: 1, length: 1)) < 1e-4)
        _ = built(x, mode: .batchStatistics)
        #expect(built.store.state.mapValues { $0.floats() } == before)
        _ = built(x, mode: .training)
        for buffer in built.store.buffers { #expect(buffer.tensor.floats() != before[buffer.name], "\(buffer.name)") }
    }

    @Test func saveAndLoad() throws {
        let path = FileManager.default.temporaryDirectory.path + "/discrete-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let built = network(.everything, dtype: .float32)
        randomizeVectors(of: built.store, seed: 2)
        let x = images([1, 3, 40, 51], dtype: .float32)
        let wanted = built(x, mode: .evaluation).floats()
        try saveTensors(built.store.state, metadata: ["filters": "4"], to: path)
        let other = network(.everything, seed: 99, dtype: .float32)
        #expect(other(x, mode: .evaluation).floats() != wanted)
        let file = try loadTensors(path)
        #expect(file.metadata == ["filters": "4"])
        try other.store.load(file.tensors)
        #expect(other(x, mode: .evaluation).floats() == wanted)
        #expect(throws: TorchError.self) { try network(.everything, .tiny(classes: 4)).store.load(file.tensors) }
    }

    @Test func configurationRoundTrip() throws {
        var configuration = DiscreteConfiguration.tiny()
        configuration.dropPathKeep = 0.25
        let data = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(DiscreteConfiguration.self, from: data) == configuration)
    }
}
