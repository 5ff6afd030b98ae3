import ArchitectureSearch
import Configurations
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace
import TestSupport
import Testing
import Torch

/// Searches that end in a selection by perturbation.
@Suite("Runs of a selection by perturbation", .serialized)
struct SelectionRunTests {
    /// Two epochs of search, then six decisions: five edges, and the inputs of the second block.
    private let settings = [
        "search.layers=3", "search.blocks=2", "search.epochs=2", "search.selection.by=perturbation",
        "search.selection.images=4",
    ]

    private func table(_ instant: InstantRun, _ name: String) throws -> ArchitectureTable {
        let path = instant.checkpoint(name)
        return try Checkpoint(at: path).value("architecture", as: ArchitectureTable.self, in: path)
    }

    @Test("It decides an edge or a block an epoch, and the genotype is what was decided")
    func whole() throws {
        let instant = try InstantRun(.search)
        let watcher = Watcher()
        try instant.run("run", settings, watcher: watcher)
        let epochs = try instant.logged("run")
        // 2 + 1 * (6 - 1) + 1
        #expect(epochs.count == 8)
        let rows = try table(instant, "run").operators
        let space = CellSpace(blocks: 2)
        for block in 1...2 {
            let kept = space.edges(into: block).filter { rows[$0.index].contains(1) }
            #expect(kept.count == 2)
            #expect(space.edges(into: block).allSatisfy { rows[$0.index].filter { $0 != 0 }.count <= 1 })
        }
        let genotype = try loadGenotype(instant.folder("run"))
        #expect(genotype.cell == decodeCell(alpha: rows, space: space))
        #expect(watcher.noted.count { $0.hasPrefix("decision ") } == 6, "\(watcher.noted)")
        #expect(watcher.noted.contains { $0.hasPrefix("decision 6 of 6: block 2 without ") })
    }

    @Test("Learning rates fall, begin anew at a tenth when the selection begins, and fall again")
    func rates() throws {
        let instant = try InstantRun(.search)
        try instant.run("run", settings)
        let rates = try instant.temporary.text("run/log.jsonl").split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(object?["learningRate"] as? Double)
        }
        #expect(abs(rates[0] - 0.025) < 1e-9 && rates[1] < rates[0])
        #expect(abs(rates[2] - 0.0025) < 1e-9)
        #expect(zip(rates[2...], rates[3...]).allSatisfy { $0 > $1 } && rates[7] > 0.001)
    }

    @Test("Stopped again and again it takes the same decisions", arguments: [3, 4, 5])
    func stopped(every: Int) throws {
        let instant = try InstantRun(.search)
        let all = settings + ["search.selection.epochs=2"]
        try instant.run("whole", all)
        let (_, stops) = try stoppedOften(every: every) { resume, reporter, interruption in
            let folder = try RunFolder(at: instant.folder("stopped"), resume: resume)
            return try Search(
                instant.configuration(all), folder: folder, reporter: reporter, interruption: interruption
            ).run()
        }
        #expect(stops > 5)
        #expect(try instant.bytes("stopped") == instant.bytes("whole"))
    }

    /// The paper's relaxation, which has the run stopped when it is asked for its weights.
    private struct Stopping: Relaxation {
        let softmax: SoftmaxRelaxation
        let watcher: Watcher

        func weights(at step: SearchStep) -> ArchitectureWeights { softmax.weights(at: step) }

        var weights: ArchitectureWeights {
            // Behind the end of the search's last epoch the next to ask is the first decision.
            if watcher.noted.contains(where: { $0.hasPrefix("epoch 2/8") }) {
                _ = watcher.interruption.requestStop(signal: SIGTERM)
            }
            return softmax.weights
        }
    }

    @Test("Asked to stop during a decision it stops before it, and takes it when it goes on")
    func stoppedInside() throws {
        let instant = try InstantRun(.search)
        try instant.run("whole", settings)
        let watcher = Watcher()
        var method = SearchMethod()
        method.relaxation = { Stopping(softmax: SoftmaxRelaxation($0, $1), watcher: watcher) }
        #expect(throws: Interrupted.self) {
            let folder = try RunFolder(at: instant.folder("stopped"), resume: false)
            _ = try Search(
                instant.configuration(settings), folder: folder, reporter: watcher,
                interruption: watcher.interruption, method: method
            ).run()
        }
        #expect(!watcher.noted.contains { $0.hasPrefix("decision") })
        #expect(try instant.logged("stopped").count == 2)
        try instant.run("stopped", settings, resume: true)
        #expect(try instant.bytes("stopped") == instant.bytes("whole"))
    }

    @Test("The epochs of the search cannot change once the selection has begun")
    func changedEpochs() throws {
        let instant = try InstantRun(.search)
        try instant.run("whole", settings)
        let steps = try #require(try instant.logged("whole").first?["step"])
        #expect(throws: Interrupted.self) {
            try instant.run("run", settings, watcher: Watcher(stopAfter: Int(steps) * 3 + 1))
        }
        let line = failure {
            try instant.run("run", settings.map { $0 == "search.epochs=2" ? "search.epochs=4" : $0 }, resume: true)
        }
        #expect(line?.contains("search.epochs cannot change any more: 2 decisions") == true, "\(line ?? "")")
        try instant.run("run", settings, resume: true)
        #expect(try instant.bytes("run") == instant.bytes("whole"))
    }

    @Test("Under a high price on multiply-adds the operators that cost none stay")
    func price() throws {
        let instant = try InstantRun(.search)
        try instant.run("run", settings + ["search.architecture.price=1000"])
        let cell = try loadGenotype(instant.folder("run")).cell
        let free: [SearchSpace.Operator] = [.skip, .averagePool3x3, .maxPool3x3]
        #expect(cell.blocks.flatMap(\.branches).allSatisfy { free.contains($0.op) }, "\(cell)")
    }
}
