import ArchitectureSearch
import Foundation
import SearchSpace
import TestSupport
import Testing
import Torch

/// Whether a controller learns: on a score of a million sequences whose best are known.
@Suite("Controllers on a score whose best is known")
struct ControllerStudyTests {
    /// A score of six choices among ten: a normal number for each alternative, and for each pair of alternatives of three
    /// pairs of choices; from 0, the worst, to 1, the best.
    private struct Score {
        private let single: [[Double]]
        private let pairs: [(first: Int, second: Int, values: [[Double]])]
        private let range: (low: Double, high: Double)
        let mean: Double
        /// The score that one sequence in a hundred reaches.
        let bestPercent: Double

        static let sequence = ChoiceSequence((0..<6).map { .init(head: "choice.\($0)", count: 10) })

        init(seed: UInt64) {
            var random = SplitMix(state: seed)
            func normal() -> Double {
                let (a, b) = (Double(random.next() >> 11) * 0x1p-53, Double(random.next() >> 11) * 0x1p-53)
                return (-2 * log(1 - a)).squareRoot() * cos(2 * .pi * b)
            }
            func normals(_ rows: Int) -> [[Double]] { (0..<rows).map { _ in (0..<10).map { _ in normal() } } }
            let single = normals(6)
            let pairs = [(0, 3), (1, 5), (2, 4)].map { (first: $0, second: $1, values: normals(10)) }
            // Pairs have no choice in common, so that all sums are sums of one of a hundred numbers of each.
            let parts = pairs.map { pair -> [Double] in
                (0..<100).map { place -> Double in
                    let (a, b) = place.quotientAndRemainder(dividingBy: 10)
                    return single[pair.first][a] + single[pair.second][b] + pair.values[a][b]
                }
            }
            var all: [Double] = []
            all.reserveCapacity(1_000_000)
            for a in parts[0] { for b in parts[1] { for c in parts[2] { all.append(a + b + c) } } }
            all.sort()
            (self.single, self.pairs) = (single, pairs)
            let (low, high) = (all[0], all[all.count - 1])
            range = (low, high)
            mean = (all.reduce(0, +) / Double(all.count) - low) / (high - low)
            bestPercent = (all[all.count - all.count / 100] - low) / (high - low)
        }

        func callAsFunction(_ choices: [Int]) -> Double {
            let singles = choices.indices.reduce(0) { $0 + single[$1][choices[$1]] }
            let total = pairs.reduce(singles) { $0 + $1.values[choices[$1.first]][choices[$1.second]] }
            return (total - range.low) / (range.high - range.low)
        }
    }

    private struct Outcome {
        /// Proposals until one was among the best percent; nil where none was.
        var first: Int?
        var best = 0.0
        /// Mean score of the last 200.
        var last = 0.0
    }

    private func search(
        _ score: Score, seed: UInt64, proposals: Int, feedback: ControllerFeedback, settings: PolicyTrainer.Settings
    ) -> (learnt: Outcome, random: Outcome) {
        let trainer = PolicyTrainer(Score.sequence, feedback: feedback, settings: settings, seed: seed)
        let other = PolicyTrainer(Score.sequence, seed: seed + 1_000)
        var (learnt, random) = (Outcome(), Outcome())
        for number in 1...proposals {
            let proposal = trainer.propose()
            let reward = score(proposal.choices)
            trainer.learn(from: proposal, reward: reward)
            note(reward, number, &learnt)
            note(score(other.propose(uniformly: true).choices), number, &random)
        }
        func note(_ reward: Double, _ number: Int, _ outcome: inout Outcome) {
            if reward >= score.bestPercent, outcome.first == nil { outcome.first = number }
            outcome.best = max(outcome.best, reward)
            if number > proposals - 200 { outcome.last += reward / 200 }
        }
        return (learnt, random)
    }

    @Test("REINFORCE finds the best percent, and comes to better proposals than random draws", arguments: [1, 2, 3])
    func reinforce(seed: UInt64) throws {
        var settings = PolicyTrainer.Settings()
        (settings.rule, settings.learningRate) = (.reinforce, 1e-3)
        let (learnt, random) = search(
            Score(seed: 5), seed: seed, proposals: 2_000, feedback: .published, settings: settings)
        #expect(learnt.first != nil && learnt.best > random.best)
        #expect(learnt.last > random.last + 0.2)
    }

    private static let environment = ProcessInfo.processInfo.environment

    /// The table of docs/RESULTS.md, a line each: `PROPOSALS=2000 RATES=0.0001 SEEDS=1,2,3 …`.
    @Test("PPO's figures", .enabled(if: environment["PROPOSALS"] != nil))
    func figures() throws {
        func values(_ key: String, _ other: String) -> [String] {
            (Self.environment[key] ?? other).split(separator: ",").map(String.init)
        }
        let proposals = try #require(Self.environment["PROPOSALS"].flatMap { Int($0) })
        let score = Score(seed: 5)
        print("mean \(score.mean), best percent from \(score.bestPercent)")
        for feedback in values("FEEDBACK", "published").compactMap(ControllerFeedback.init) {
            for rule in values("RULE", "ppo").compactMap(PolicyRule.init) {
                for rate in values("RATES", "0.0001").compactMap(Double.init) {
                    for entropy in values("ENTROPY", "0").compactMap(Double.init) {
                        for seed in values("SEEDS", "1").compactMap(UInt64.init) {
                            var settings = PolicyTrainer.Settings()
                            (settings.rule, settings.learningRate, settings.entropy) = (rule, rate, entropy)
                            let found = search(
                                score, seed: seed, proposals: proposals, feedback: feedback, settings: settings)
                            print(
                                "\(rule) \(feedback) rate \(rate) entropy \(entropy) seed \(seed):", found.learnt,
                                "random:", found.random)
                        }
                    }
                }
            }
        }
    }
}
