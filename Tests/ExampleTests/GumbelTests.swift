import ArchitectureSearch
import Configurations
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace
import Segmentation
import TestSupport
import Testing
import Torch

/// The example of a relaxation of one's own, as it stands in `Examples`.
@Suite("Gumbel-softmax, an example of a relaxation")
struct GumbelTests {
    private func relaxation(_ dtype: DType = .float64) -> (GumbelRelaxation, VariableStore, SupernetConfiguration) {
        var configuration = SupernetConfiguration(classes: 3)
        (configuration.layers, configuration.blocks, configuration.filters) = (3, 2, 2)
        let store = VariableStore(generator: Generator(seed: 1), dtype: dtype)
        return (GumbelRelaxation(store.root / "architecture", configuration), store, configuration)
    }

    @Test("Each pass draws its own probabilities, the same ones when it is made again, and ever more decided")
    func draws() {
        let (relaxation, _, configuration) = relaxation()
        func table(_ index: Int, _ turn: SearchStep.Turn = .weights) -> ArchitectureTable {
            withoutGradients { relaxation.weights(at: SearchStep(index: index, total: 100, turn: turn, seed: 4)).table }
        }
        #expect(table(3) == table(3))
        #expect(table(3) != table(4) && table(3) != table(3, .architecture))
        for row in table(50).operators { #expect(abs(row.reduce(0, +) - 1) < 1e-9) }
        for group in NetworkSpace(layers: configuration.layers).groups {
            #expect(abs(group.arrows.reduce(0) { $0 + table(50).arrows[$1.index] } - 1) < 1e-9)
        }
        func decided(_ steps: Range<Int>) -> Double {
            let strongest = steps.flatMap { table($0).operators.map { $0.max() ?? 0 } }
            return strongest.reduce(0, +) / Double(strongest.count)
        }
        #expect(decided(0..<20) < 0.25 && decided(80..<100) > 0.5)
        #expect(withoutGradients { relaxation.weights.table }.operators[0] == [Double](repeating: 1 / 8, count: 8))
    }

    @Test("Gradients reach alpha and beta through the draw, as central differences have it")
    func gradient() {
        let (relaxation, store, _) = relaxation()
        let step = SearchStep(index: 10, total: 100, turn: .architecture, seed: 4)
        func value() -> Tensor {
            let weights = relaxation.weights(at: step)
            func weighed(_ tensor: Tensor) -> Tensor {
                (tensor * Tensor.uniform(tensor.shape, generator: Generator(seed: 9), dtype: .float64)).sum()
            }
            return weighed(weights.operators) + weighed(weights.arrows)
        }
        let parameters = store.architecture.map(\.tensor)
        #expect(parameters.count == 2)
        for (parameter, gradient) in zip(parameters, gradients(of: value(), withRespectTo: parameters)) {
            let (saved, found) = (parameter.doubles(), gradient?.doubles() ?? [])
            for place in stride(from: 0, to: saved.count, by: 5) {
                func moved(_ shift: Double) -> Double {
                    var values = saved
                    values[place] += shift
                    return withoutGradients {
                        parameter.copy(from: Tensor(values, shape: parameter.shape))
                        return value().item()
                    }
                }
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5
                #expect(abs(difference - found[place]) < 1e-8 && found[place] != 0)
            }
            withoutGradients { parameter.copy(from: Tensor(saved, shape: parameter.shape)) }
        }
    }

    @Test("A search by it ends with a network, and one that was stopped with the same")
    func search() throws {
        let folder = try TemporaryFolder()
        try DemoScenes(width: 48, height: 40, train: 12, val: 2, test: 0).write(to: folder.file("data"))
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "search.layers=3", "search.blocks=2", "search.epochs=3", "checkpoint.every=1 steps",
            ])
        configuration.data.root = folder.file("data")
        var method = SearchMethod()
        method.relaxation = { GumbelRelaxation($0, $1) }
        func run(_ name: String, stopAfter: Int = .max) throws -> Genotype {
            let interruption = Interruption()
            return try Search(
                configuration, folder: RunFolder(at: folder.file(name), resume: true),
                reporter: StoppingReporter(interruption, after: stopAfter), interruption: interruption, method: method
            ).run()
        }
        let whole = try run("whole")
        #expect(whole.layers == 3 && whole.blocks == 2)
        #expect(throws: Interrupted.self) { try run("stopped", stopAfter: 6) }
        #expect(try run("stopped") == whole)
        let checkpoints = try ["whole", "stopped"].map {
            try Data(contentsOf: URL(fileURLWithPath: folder.file("\($0)/checkpoints/last.safetensors")))
        }
        #expect(checkpoints[0] == checkpoints[1])
        #expect(try decodeCheckpoint(folder.file("stopped")) == whole)
    }
}

/// Asks a run to stop after a step.
private struct StoppingReporter: ProgressReporter {
    let interruption: Interruption
    let step: Int

    init(_ interruption: Interruption, after step: Int) { (self.interruption, self.step) = (interruption, step) }

    func report(_ event: ProgressEvent) {
        if case .advanced(let advance) = event, advance.completed == step { interruption.requestStop(signal: SIGTERM) }
    }
}
