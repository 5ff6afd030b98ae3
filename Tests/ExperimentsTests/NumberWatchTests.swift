import Experiments
import Foundation
import SearchSpace
import Testing
import Torch

@Suite("Numbers going wrong", .serialized)
struct NumberWatchTests {
    /// A run stopped after step 3, one of whose weights is then not a number.
    private func poisoned(_ stage: InstantRun.Stage) throws -> InstantRun {
        let instant = try InstantRun(stage)
        #expect(failure { try instant.run("run", watcher: Watcher(stopAfter: 3)) } != nil)
        let checkpoint = try Checkpoint(at: instant.checkpoint("run"))
        let network = try #require(checkpoint.sections["network"])
        let name = try #require(network.keys.sorted().first { $0.hasPrefix("stem") && $0.hasSuffix("weight") })
        network[name]?.fill(.nan)
        try checkpoint.write(to: instant.checkpoint("run"))
        return instant
    }

    @Test("The run stops with step, images and what to go on from", arguments: InstantRun.Stage.allCases)
    func stop(stage: InstantRun.Stage) throws {
        let instant = try poisoned(stage)
        let before = try instant.bytes("run")
        let line = try #require(failure { try instant.run("run", resume: true) })
        let folder = instant.folder("run")
        #expect(line.hasPrefix("\(folder): the loss is nan at step 4 of \(stage) (images: \(instant.data)/images/"))
        #expect(line.contains(".png, \(instant.data)/images/train/"))
        #expect(line.contains("; the checkpoint of step 3 is whole: go on with --output \(folder) --resume and --set "))
        #expect(try instant.bytes("run") == before)
    }

    @Test("Steps are skipped and counted, and leave nothing behind", arguments: InstantRun.Stage.allCases)
    func skip(stage: InstantRun.Stage) throws {
        let instant = try poisoned(stage)
        let before = try Checkpoint(at: instant.checkpoint("run")).sections["network"] ?? [:]
        try instant.run("run", ["onNonFinite=skip"], resume: true)
        let last = try instant.logged("run").last
        #expect(last?["skippedSteps"] == (stage == .search ? 7 : 17))
        let after = try Checkpoint(at: instant.checkpoint("run")).sections["network"] ?? [:]
        #expect(after.count == before.count && after.count > 10)
        for (name, tensor) in before where tensor.doubles().allSatisfy(\.isFinite) {
            #expect(after[name]?.doubles() == tensor.doubles(), "\(name)")
        }
    }

    @Test("Too many bad steps in a row are not skipped for ever")
    func endless() throws {
        let instant = try poisoned(.search)
        let line = failure { try instant.run("run", ["onNonFinite=skip", "search.epochs=9"], resume: true) }
        #expect(line?.contains("the loss is nan at step 23, the last of 20 in a row, of search") == true)
    }

    @Test("Collapse is told: skips, zeros, and a choice that is made")
    func collapse() {
        func shares(_ op: SearchSpace.Operator, _ share: Double) -> [Double] {
            SearchSpace.Operator.allCases.map { $0 == op ? share : (1 - share) / 7 }
        }
        #expect(collapseWarnings(shares: shares(.skip, 0.125), alphaEntropy: 1, betaEntropy: 1) == [])
        #expect(collapseWarnings(shares: shares(.atrous3x3, 0.9), alphaEntropy: 0.2, betaEntropy: 0.2) == [])
        #expect(
            collapseWarnings(shares: shares(.skip, 0.62), alphaEntropy: 0.4, betaEntropy: 1) == [
                "'skip' has 62% of alpha's weight: the supernet collapses to it; lower search.architecture.learningRate"
                    + " or raise search.architectureFrom"
            ])
        let both = collapseWarnings(shares: shares(.none, 0.99), alphaEntropy: 0.04, betaEntropy: 0.01)
        #expect(both.count == 3 && both[0].hasPrefix("'none' has 99%"))
        #expect(both[1].hasPrefix("the entropy of alpha is 4.0% of its maximum"))
        #expect(both[2].hasPrefix("the entropy of beta is 1.0% of its maximum"))
    }

    @Test("The log of a search has the operators' shares of every epoch")
    func shares() throws {
        let instant = try InstantRun(.search)
        try instant.run("run")
        let lines = try String(contentsOfFile: instant.folder("run") + "/log.jsonl", encoding: .utf8)
            .split(separator: "\n")
        #expect(lines.count == 2)
        for line in lines {
            let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let shares = SearchSpace.Operator.allCases.compactMap { object["share.\($0.rawValue)"] as? Double }
            #expect(shares.count == 8 && abs(shares.reduce(0, +) - 1) < 1e-6)
        }
    }
}
