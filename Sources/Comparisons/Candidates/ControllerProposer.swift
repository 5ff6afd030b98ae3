import ArchitectureSearch
import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Segmentation
import Torch

/// Reinforcement (arXiv 1810.10804, ALGORITHM 15): a controller proposes one network at a time and learns from its reward.
///
/// What has been learnt lies in a file of the search's folder, which is written before each proposal is trained. It follows
/// from the seed and the rewards, so it is made anew where it is missing or does not belong to the scores that are there.
package struct ControllerProposer: CandidateProposer {
    private let space: any CandidateSpace
    private let feedback: ControllerFeedback
    private let settings: PolicyTrainer.Settings
    /// Whether candidates are judged after the first part of the first rung.
    package let judges: Bool
    private let seed: Int
    private let folder: String
    private let check: @Sendable () throws -> Void

    /// - Parameters:
    ///   - space: What there is to choose, and whether a candidate has the wanted cost.
    ///   - feedback: What the controller is fed after a choice.
    ///   - settings: How it learns.
    ///   - judges: Whether candidates are judged before their training goes on.
    ///   - seed: The seed of the controller and all that is drawn.
    ///   - folder: Where the file lies.
    ///   - check: Called before each step of learning; what it throws ends that.
    package init(
        space: any CandidateSpace, feedback: ControllerFeedback = .published,
        settings: PolicyTrainer.Settings = .init(), judges: Bool = false, seed: Int, folder: String,
        check: @escaping @Sendable () throws -> Void = {}
    ) {
        (self.space, self.feedback, self.settings) = (space, feedback, settings)
        (self.judges, self.seed, self.folder, self.check) = (judges, seed, folder, check)
    }

    /// The controller of a search.
    ///
    /// - Parameters:
    ///   - configuration: The search's.
    ///   - space: What there is to choose.
    ///   - judges: Whether candidates are judged before their training goes on.
    ///   - folder: The search's.
    ///   - interruption: Asks to stop.
    init(
        _ configuration: Configuration, space: any CandidateSpace, judges: Bool, in folder: String,
        _ interruption: Interruption
    ) {
        let search = configuration.search
        var settings = PolicyTrainer.Settings()
        settings.rule = search.controller.rule
        settings.learningRate = search.controller.learningRate
        settings.entropy = search.controller.entropy
        // What it computes is to be the same before and after the first training, which sets them.
        Engine.threads = configuration.workerThreads
        self.init(
            space: space, feedback: search.controller.feedback, settings: settings, judges: judges,
            seed: configuration.seed, folder: folder
        ) {
            if let signal = interruption.signal { throw Interrupted(signal: signal, comparison: folder) }
        }
    }

    /// The controller's file in a search's folder.
    package static func file(in folder: String) -> String { folder + "/controller.safetensors" }

    /// Teaches the controller what is new in the scores, and draws the next network.
    ///
    /// - Parameters:
    ///   - scored: All that were proposed before, with their rewards.
    ///   - limit: How many there are to be in all.
    /// - Returns: One candidate.
    /// - Throws: `SearchSpaceError` where no candidate of the wanted cost is found; `RunError` about the file, or where what
    ///   was scored is not what the controller proposed.
    package func candidates(after scored: [ScoredCandidate], limit: Int) throws -> [Candidate] {
        let proposals = try learner(after: scored).record.proposals
        guard let item = try space.sized(space.network(proposals[scored.count])) else { throw foreign(scored.count) }
        return [Candidate(name: "drawn-\(scored.count + 1)", item.network, filters: item.filters)]
    }

    /// Judges the candidate that was proposed last.
    ///
    /// - Parameters:
    ///   - early: Its reward after the first part of its training.
    ///   - scored: All that were proposed before it.
    /// - Returns: Whether its training goes on; always true where nothing is judged.
    /// - Throws: As ``candidates(after:limit:)``.
    package func goesOn(early: Double, after scored: [ScoredCandidate]) throws -> Bool {
        guard judges else { return true }
        let learner = try learner(after: scored)
        let record = learner.record
        if let verdict = (record.told.map(\.verdict) + [record.verdict])[scored.count] { return verdict }
        let verdict = learner.judge(early)
        try write(learner)
        return verdict
    }

    /// What the file holds besides tensors.
    private struct Record: Codable {
        /// What was proposed and told.
        var told: [Told] = []
        /// What is trained now.
        var pending: PolicyTrainer.Proposal?
        /// Whether its training goes on; nil before it is judged.
        var verdict: Bool?
        var judge = StoppingJudge()

        /// The choices of all that was proposed.
        var proposals: [[Int]] { told.map(\.choices) + (pending.map { [$0.choices] } ?? []) }
    }

    private struct Told: Codable {
        let choices: [Int]
        let reward: Double?
        let verdict: Bool?
    }

    /// A controller with its record.
    private final class Learner {
        let trainer: PolicyTrainer
        var record = Record()

        init(_ trainer: PolicyTrainer) { self.trainer = trainer }

        func judge(_ early: Double) -> Bool {
            let verdict = record.judge.goesOn(score: early) { trainer.uniforms(1)[0] }
            record.verdict = verdict
            return verdict
        }
    }

    private func fresh() -> Learner {
        Learner(
            PolicyTrainer(
                space.sequence, feedback: feedback, settings: settings, seed: UInt64(bitPattern: Int64(seed))))
    }

    /// A controller that has learnt from these scores at least, and proposed the next network; what is new is written.
    private func learner(after scored: [ScoredCandidate]) throws -> Learner {
        let saved = try read().flatMap { agrees($0, with: scored) ? $0 : nil }
        // A search that goes on asks for its first proposals once more.
        if let saved, saved.record.told.count >= scored.count { return saved }
        let learner = saved ?? fresh()
        if saved == nil { learner.record.pending = try draw(learner) }
        for candidate in scored[learner.record.told.count...] {
            guard let pending = learner.record.pending,
                candidate.network == space.network(pending.choices)
            else { throw foreign(learner.record.told.count) }
            if judges, let early = candidate.early, learner.record.verdict == nil { _ = learner.judge(early) }
            try teach(learner, pending, candidate.reward)
            learner.record.told.append(
                Told(choices: pending.choices, reward: candidate.reward, verdict: learner.record.verdict))
            learner.record.verdict = nil
            learner.record.pending = try draw(learner)
        }
        // Of processes that share the folder the first one's state holds: rounding may differ between machines.
        let lock = try FolderLock.waiting(for: folder, check: check)
        defer { withExtendedLifetime(lock) {} }
        if let other = try read(), other.record.told.count >= scored.count, agrees(other, with: scored) { return other }
        try write(learner)
        return learner
    }

    /// Whether what the controller was told is what was scored, as far as both go.
    private func agrees(_ learner: Learner, with scored: [ScoredCandidate]) -> Bool {
        zip(learner.record.told, scored).allSatisfy {
            $0.reward == $1.reward && space.network($0.choices) == $1.network
        }
    }

    private func teach(_ learner: Learner, _ proposal: PolicyTrainer.Proposal, _ reward: Double?) throws {
        try check()
        // What failed says nothing of the choices.
        if let reward, reward.isFinite { learner.trainer.learn(from: proposal, reward: reward) }
    }

    /// Draws in a row after which the policy, which only repeats itself, gives way to uniform draws.
    private static let patience = 20

    /// A network that was not there before, of the wanted cost.
    ///
    /// One that was would be trained to the same reward again: the controller is told of it without that.
    private func draw(_ learner: Learner) throws -> PolicyTrainer.Proposal {
        let told = learner.record.told.map { (space.network($0.choices), $0.reward) }
        let known = Dictionary(told, uniquingKeysWith: { first, _ in first })
        var repeats = 0
        for _ in 0..<1_000 {
            let proposal = learner.trainer.propose(uniformly: repeats >= ControllerProposer.patience)
            let network = space.network(proposal.choices)
            if let reward = known[network] {
                repeats += 1
                try teach(learner, proposal, reward)
            } else if try space.sized(network) != nil {
                return proposal
            }
        }
        throw SearchSpaceError(
            problem:
                "of 1000 networks that the controller drew none was new and of the wanted cost: take fewer "
                + "search.candidates, or \(space.remedy)")
    }

    private func foreign(_ index: Int) -> RunError {
        RunError(
            .changed, path: folder,
            "candidate \(index + 1) is not the one that the controller proposes here: begin the search anew")
    }

    private func read() throws -> Learner? {
        let path = ControllerProposer.file(in: folder)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let checkpoint = try Checkpoint(at: path)
            let learner = fresh()
            learner.record = try checkpoint.value("record", as: Record.self, in: path)
            try learner.trainer.restore(
                checkpoint.sections, memory: try checkpoint.value("memory", as: PolicyTrainer.Memory.self, in: path))
            guard learner.record.pending != nil, learner.record.proposals.allSatisfy(space.sequence.accepts) else {
                throw TorchError("its proposals are no networks of this search")
            }
            return learner
        } catch {
            throw RunError(
                .damaged, path: path,
                "is not usable (\(error)): delete it, and the controller learns anew from the scores that are there")
        }
    }

    private func write(_ learner: Learner) throws {
        var checkpoint = Checkpoint()
        checkpoint.sections = learner.trainer.state
        try checkpoint.set("record", learner.record)
        try checkpoint.set("memory", learner.trainer.memory)
        try checkpoint.write(to: ControllerProposer.file(in: folder), below: folder)
    }
}
