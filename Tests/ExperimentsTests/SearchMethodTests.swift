import ArchitectureSearch
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace
import Synchronization
import TestSupport
import Testing
import Torch

/// The parts of a search that can be replaced from outside.
@Suite("Parts of a search", .serialized)
struct SearchMethodTests {
    /// Alpha and beta by their softmaxes, with a buffer that counts the architecture's steps.
    private struct Counting: Relaxation {
        let softmax: SoftmaxRelaxation
        let count: Tensor

        init(_ path: Path, _ configuration: SupernetConfiguration) {
            softmax = SoftmaxRelaxation(path, configuration)
            count = path.buffer("count", shape: [1], value: 0)
        }

        var weights: ArchitectureWeights { softmax.weights }

        func weights(at step: SearchStep) -> ArchitectureWeights {
            if step.turn == .architecture { withoutGradients { count.add(.full(1, [1])) } }
            return softmax.weights
        }
    }

    /// What one operator weighs on all edges, times a factor.
    private struct Price: ArchitecturePenalty {
        let op: SearchSpace.Operator
        let factor: Double
        let steps: Steps

        func callAsFunction(_ weights: ArchitectureWeights, at step: SearchStep) -> Tensor {
            steps.add(step)
            return weights.operators.select(1, op.index).sum() * factor
        }
    }

    private final class Steps: Sendable {
        private let list = Mutex<[SearchStep]>([])
        func add(_ step: SearchStep) { list.withLock { $0.append(step) } }
        var all: [SearchStep] { list.withLock { $0 } }
    }

    private struct Fixed: GenotypeDecoder {
        let genotype: Genotype
        func decode(_ table: ArchitectureTable, of supernet: SupernetConfiguration) -> Genotype { genotype }
    }

    private func run(
        _ instant: InstantRun, _ name: String, _ method: SearchMethod, watcher: Watcher = Watcher()
    ) throws -> Genotype {
        try Search(
            instant.configuration(["search.layers=3", "search.epochs=4", "search.architecture.learningRate=0.1"]),
            folder: RunFolder(at: instant.folder(name), resume: true), reporter: watcher,
            interruption: watcher.interruption, method: method
        ).run()
    }

    /// The share of an operator after the last epoch.
    private func share(_ op: SearchSpace.Operator, _ instant: InstantRun, _ name: String) throws -> Double {
        let lines = try instant.temporary.text(name + "/log.jsonl").split(separator: "\n")
        let text = try #require(lines.last?.firstMatch(of: try Regex("\"share.\(op.rawValue)\": ?([0-9.e-]+)")))
        return try #require(Double(text.output[1].substring ?? ""))
    }

    @Test("A penalty moves the architecture away from what it prices, in the architecture's turns alone")
    func penalty() throws {
        let instant = try InstantRun(.search)
        _ = try run(instant, "plain", SearchMethod())
        for op in [SearchSpace.Operator.skip, .separable5x5] {
            let steps = Steps()
            var method = SearchMethod()
            method.penalty = { _, _ in Price(op: op, factor: 10, steps: steps) }
            _ = try run(instant, op.rawValue, method)
            let (plain, priced) = (try share(op, instant, "plain"), try share(op, instant, op.rawValue))
            #expect(priced < 0.6 * plain, "\(op): \(plain), \(priced)")
            #expect(steps.all.allSatisfy { $0.turn == .architecture && $0.total == 20 })
            // Once for the trial of memory at the start, then from the second epoch on.
            #expect(steps.all.map(\.index) == [0] + Array(5..<20))
        }
    }

    @Test("What a relaxation keeps in the store goes through checkpoints")
    func state() throws {
        let instant = try InstantRun(.search)
        var method = SearchMethod()
        method.relaxation = { Counting($0, $1) }
        _ = try run(instant, "whole", method)
        #expect(throws: Interrupted.self) {
            try run(instant, "stopped", method, watcher: Watcher(stopAfter: 13))
        }
        _ = try run(instant, "stopped", method)
        #expect(try instant.bytes("stopped") == instant.bytes("whole"))
        // The paper's relaxation has no such state: another search's checkpoint is refused.
        let line = failure { _ = try run(instant, "stopped", SearchMethod()) }
        #expect(line?.contains("architecture.count") == true, "\(line ?? "")")
    }

    @Test("A decoder decides the network that a search ends with, and that its checkpoint holds")
    func decoder() throws {
        let instant = try InstantRun(.search)
        let wanted = try KnownDesign.deeplabv3.genotype(layers: 3)
        var method = SearchMethod()
        method.decoder = Fixed(genotype: wanted)
        #expect(try run(instant, "run", method) == wanted)
        #expect(try loadGenotype(instant.folder("run")) == wanted)
    }

    @Test(
        "A search with an option that has a state, or a price, goes on exactly",
        arguments: [
            ["search.architecture.temperature=[3,0.5]"], ["search.architecture.firstLayer=carried"],
            ["search.resizePrevious=true"], ["search.residual=true"], ["search.architecture.price=2"],
            ["search.weights.optimizer=adamw"],
            ["search.loss=training", "train.loss.dice=1"],
        ])
    func options(settings: [String]) throws {
        let instant = try InstantRun(.search)
        let all = settings + ["search.layers=3", "search.epochs=4", "search.architecture.learningRate=0.1"]
        try instant.run("plain", Array(all.dropFirst(settings.count)))
        try instant.run("whole", all)
        #expect(throws: Interrupted.self) {
            try instant.run("stopped", all, watcher: Watcher(stopAfter: 13))
        }
        try instant.run("stopped", all, resume: true)
        #expect(try instant.bytes("stopped") == instant.bytes("whole"))
        #expect(try instant.bytes("plain") != instant.bytes("whole"))
    }

    @Test("A search by the training's loss adds Dice to the cross entropy, and weighs classes")
    func trainingLoss() throws {
        let instant = try InstantRun(.search)
        // Nothing learns, so that all have the same scores.
        let still = ["search.weights.learningRate=0", "search.weights.finalLearningRate=0"]
        func loss(_ name: String, _ settings: [String]) throws -> Double {
            try instant.run(name, still + settings)
            return try #require(instant.logged(name).first?["loss"])
        }
        let plain = try loss("plain", [])
        #expect(try loss("same", ["search.loss=training"]) == plain)
        #expect(try loss("unused", ["train.loss.dice=1"]) == plain)
        let once = try loss("once", ["search.loss=training", "train.loss.dice=1"]) - plain
        let twice = try loss("twice", ["search.loss=training", "train.loss.dice=2"]) - plain
        // Dice of scores that know nothing.
        #expect(once > 0.3 && once < 1)
        #expect(abs(twice - 2 * once) < 1e-4)
        let weighed = try loss("even", ["search.loss=training", "train.classWeights=[3,3,3,3,3,3,3]"])
        #expect(abs(weighed - plain) < 1e-4)
        let line = failure { _ = try loss("wrong", ["search.loss=training", "train.classWeights=[1,2]"]) }
        #expect(line?.contains("train.classWeights: 2 weights") == true, "\(line ?? "")")
    }

    @Test("A search that goes by milliseconds goes on by those that it began with")
    func milliseconds() throws {
        let instant = try InstantRun(.search)
        let settings = [
            "search.layers=3", "search.epochs=4", "search.architecture.price=2",
            "search.architecture.priceOf=milliseconds",
        ]
        #expect(throws: Interrupted.self) {
            try instant.run("run", settings, watcher: Watcher(stopAfter: 7))
        }
        let path = instant.folder("run/latency.json")
        var table = try LatencyTable(file: path)
        let times = table.milliseconds
        #expect(!times.isEmpty)
        // None that a clock here would give.
        table = LatencyTable(machine: table.machine)
        table.add(times.mapValues { _ in 1e6 })
        try table.write(to: path)
        try instant.run("run", settings, resume: true)
        #expect(try LatencyTable(file: path) == table)
    }

    @Test("A price on multiply-adds makes the search prefer what costs none", arguments: 0..<2)
    func price(seed: Int) throws {
        let instant = try InstantRun(.search)
        let settings = ["search.layers=3", "search.epochs=4", "search.architecture.learningRate=0.1", "seed=\(seed)"]
        // High enough that of 15 steps none goes by the loss, whose gradients change signs with rounding. Of equal shares each
        // step takes what is dear and gives to what costs nothing.
        try instant.run("priced", settings + ["search.architecture.price=1000"])
        let costless = try [.averagePool3x3, .maxPool3x3, .skip].reduce(0) { try $0 + share($1, instant, "priced") }
        #expect(costless > 0.6)
        #expect(try share(.skip, instant, "priced") > 4 * share(.atrous5x5, instant, "priced"))
    }
}
