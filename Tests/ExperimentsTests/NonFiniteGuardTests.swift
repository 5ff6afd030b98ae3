import Experiments
import Foundation
import Runs
import SearchSpace
import TestSupport
import Testing
import Torch

@Suite("Numbers going wrong", .serialized)
struct NonFiniteGuardTests {
    /// A run stopped after step 3, one of whose weights is then not a number.
    private func poisoned(_ stage: InstantRun.Stage, _ settings: [String] = []) throws -> InstantRun {
        let instant = try InstantRun(stage)
        #expect(failure { try instant.run("run", settings, watcher: Watcher(stopAfter: 3)) } != nil)
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
        #expect(line.contains("; the checkpoint of step 3 is whole: resume the run in \(folder) with "))
        #expect(try instant.bytes("run") == before)
    }

    @Test("Steps are skipped and counted, and leave nothing behind", arguments: InstantRun.Stage.allCases)
    func skip(stage: InstantRun.Stage) throws {
        let instant = try poisoned(stage)
        let before = try Checkpoint(at: instant.checkpoint("run")).sections["network"] ?? [:]
        let line = failure { try instant.run("run", ["onNonFinite=skip"], resume: true) }
        // All steps were skipped, and what is left is no network.
        #expect(stage == .search ? line == nil : line?.contains("holds NaN or infinity") == true, "\(line ?? "")")
        let last = try instant.logged("run").last
        #expect(last?["skippedSteps"] == (stage == .search ? 7 : 17))
        let after = try Checkpoint(at: instant.checkpoint("run")).sections["network"] ?? [:]
        #expect(after.count == before.count && after.count > 10)
        for (name, tensor) in before where tensor.doubles().allSatisfy(\.isFinite) {
            #expect(after[name]?.doubles() == tensor.doubles(), "\(name)")
        }
    }

    @Test("Skipped steps change nothing but the counts", arguments: InstantRun.Stage.allCases)
    func unchanged(stage: InstantRun.Stage) throws {
        let settings = stage == .train ? ["train.emaDecay=0.99"] : []
        let instant = try poisoned(stage, settings)
        try expectUnchanged(instant, settings)
    }

    /// A search stopped after step 3, one of whose weights' velocities is then infinite: its weights can always take
    /// their step, after which the architecture never can.
    private func runaway() throws -> InstantRun {
        let instant = try InstantRun(.search)
        #expect(
            failure { try instant.run("run", ["search.architectureFrom=0"], watcher: Watcher(stopAfter: 3)) } != nil)
        let checkpoint = try Checkpoint(at: instant.checkpoint("run"))
        let velocities = try #require(checkpoint.sections["weightOptimizer"])
        let name = try #require(velocities.keys.sorted().first { $0.hasPrefix("velocity.stem") })
        velocities[name]?.fill(.infinity)
        try checkpoint.write(to: instant.checkpoint("run"))
        return instant
    }

    /// Every tensor's values, of all sections, are the same after the rest of the run as before it.
    private func expectUnchanged(_ instant: InstantRun, _ settings: [String]) throws {
        func tensors() throws -> [String: [UInt64]] {
            let checkpoint = try Checkpoint(at: instant.checkpoint("run"))
            var result: [String: [UInt64]] = [:]
            for (section, content) in checkpoint.sections where section != "random" {
                for (name, tensor) in content { result[section + "/" + name] = tensor.doubles().map(\.bitPattern) }
            }
            return result
        }
        let before = try tensors()
        try instant.run("run", ["onNonFinite=skip"] + settings, resume: true)
        let after = try tensors()
        #expect(after.keys.sorted() == before.keys.sorted() && after.count > 20)
        for (name, values) in before { #expect(after[name] == values, "\(name)") }
    }

    @Test("A bad step of the architecture takes that of the weights back, and is counted by itself")
    func architectureStep() throws {
        let instant = try runaway()
        try expectUnchanged(instant, ["search.architectureFrom=0"])
        let text = try String(contentsOfFile: instant.folder("run") + "/log.jsonl", encoding: .utf8)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[1].contains("\"loss\": null") && lines[1].contains("\"skippedSteps\": 7"), "\(lines[1])")
        #expect(lines[1].contains("\"skippedArchitectureSteps\": 7"), "\(lines[1])")
    }

    @Test("Bad steps of the architecture alone end a run")
    func endlessArchitecture() throws {
        let instant = try runaway()
        let settings = ["onNonFinite=skip", "search.architectureFrom=0", "search.epochs=9"]
        let line = failure { try instant.run("run", settings, resume: true) }
        #expect(
            line?.contains("the architecture's loss is nan at step 23, the last of 20 in a row, of search") == true,
            "\(line ?? "went on")")
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
