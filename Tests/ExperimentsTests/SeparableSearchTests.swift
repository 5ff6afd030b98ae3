import Experiments
import Foundation
import Inference
import Runs
import SearchSpace
import Testing
import Torch

@Suite("A search with separable atrous operators")
struct SeparableSearchTests {
    @Test("What it finds is decoded, trained, counted and stored with separable ones")
    func theFormGoesOn() throws {
        let search = try InstantRun(.search)
        try search.run("search", ["search.atrous=separable", "search.epochs=1", "search.architectureFrom=0"])
        let folder = search.folder("search")
        #expect(try loadGenotype(folder).atrous == .separable)
        #expect(try decodeCheckpoint(folder) == loadGenotype(folder))

        // A cell that has such an operator for certain, in a genotype file.
        let branch = Branch(input: .previous, op: .atrous3x3)
        let genotype = Genotype(
            path: [.s4, .s8], cell: Cell(blocks: [Block(first: branch, second: branch)]), atrous: .separable)
        let file = search.temporary.file("separable.json")
        try genotype.json().write(to: URL(fileURLWithPath: file))
        let configuration = try search.configuration(["train.epochs=1"])
        let run = try RunFolder(at: search.folder("train"), resume: false)
        _ = try Training(
            loadGenotype(file), configuration, folder: run, reporter: Watcher(), interruption: Interruption()
        ).run()
        let model = try Model(at: search.folder("train"))
        #expect(model.genotype == genotype)
        let images = InputSpecification(classes: model.classes.count, height: 65, width: 65)
        let cost = configuration.train.cost(of: genotype, on: images)
        #expect(model.network.store.parameterCount == cost.parameters)
        var dense = genotype
        dense.atrous = .dense
        #expect(cost.parameters < configuration.train.cost(of: dense, on: images).parameters)
    }
}
