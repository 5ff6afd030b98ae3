import ArchitectureSearch
import Experiments
import SearchSpace
import Segmentation

/// A candidate of a search by training, and what it came to at the first rung.
package struct ScoredCandidate: Equatable, Sendable {
    /// The network.
    package let network: NetworkChoice
    /// mIOU on the validation images; nil where its training failed.
    package let score: Double?
    /// What a controller is told of it; nil where its training failed.
    package let reward: Double?
    /// Its reward after the first part of its training, where it was judged then.
    package let early: Double?

    /// A candidate with its score, which is the reward too where none is given.
    package init(_ network: NetworkChoice, score: Double?, reward: Double? = nil, early: Double? = nil) {
        self.network = network
        self.score = score
        self.reward = reward ?? score
        self.early = early
    }
}

/// A candidate before it is trained.
package struct Candidate: Equatable, Sendable {
    /// What it is called in tables and folders.
    package let name: String
    /// The network.
    package let network: NetworkChoice
    /// The filters that bring a genotype's to the wanted cost.
    package let filters: Int
    /// Steps of its epochs; nil for those of the configuration.
    package let stepsPerEpoch: Int?

    /// A candidate with its name.
    package init(name: String, _ network: NetworkChoice, filters: Int, stepsPerEpoch: Int? = nil) {
        self.name = name
        self.network = network
        self.filters = filters
        self.stepsPerEpoch = stepsPerEpoch
    }
}

/// How the candidates of a search by training come about: propose, be told the scores, propose again.
///
/// What is proposed follows from the scores alone, so a search needs no other state to go on, on whatever process.
package protocol CandidateProposer: Sendable {
    /// The next candidates.
    ///
    /// - Parameters:
    ///   - scored: All that were proposed before, in that order, with their scores.
    ///   - limit: How many there are to be in all.
    /// - Returns: At least one, and no more than are left.
    /// - Throws: `SearchSpaceError` where no candidate of the wanted cost is found.
    func candidates(after scored: [ScoredCandidate], limit: Int) throws -> [Candidate]

    /// Whether candidates are judged after the first part of the first rung.
    var judges: Bool { get }

    /// Judges the next candidate that has been trained so far.
    ///
    /// - Parameters:
    ///   - early: Its reward so far.
    ///   - scored: All that were proposed before it.
    /// - Returns: Whether its training goes on.
    /// - Throws: An error about what the proposer keeps.
    func goesOn(early: Double, after scored: [ScoredCandidate]) throws -> Bool
}

/// Judges candidates by their rewards after the first part of their training (``StoppingJudge``), with draws of its own: for
/// proposers that learn nothing.
package struct StoppingRule: Equatable, Sendable {
    private let seed: Int

    /// A rule whose draws follow from a seed.
    package init(seed: Int) { self.seed = seed }

    /// Whether a training goes on: what the judge says who has seen the rewards before it, in their order.
    package func goesOn(early: Double, after scored: [ScoredCandidate]) -> Bool {
        var judge = StoppingJudge()
        var verdict = true
        for (number, reward) in (scored.map(\.early) + [early]).enumerated() {
            guard let reward else { continue }
            var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)), 2, number)
            verdict = judge.goesOn(score: reward) { stream.uniform() }
        }
        return verdict
    }
}

/// A proposer that learns nothing, whose candidates a rule judges where there is one.
package protocol RuleProposer: CandidateProposer {
    /// The rule; nil has all trainings go on.
    var rule: StoppingRule? { get }
}

extension RuleProposer {
    /// Whether there is a rule.
    package var judges: Bool { rule != nil }

    /// What the rule says; all trainings go on without one.
    ///
    /// - Parameters:
    ///   - early: The reward so far.
    ///   - scored: All that were proposed before.
    /// - Returns: Whether the training goes on.
    package func goesOn(early: Double, after scored: [ScoredCandidate]) -> Bool {
        rule?.goesOn(early: early, after: scored) ?? true
    }
}

/// Given networks first, then uniformly random ones, all at once: for `random` none is given.
package struct PoolProposer: RuleProposer {
    private let given: [Candidate]
    private let space: any CandidateSpace
    private let seed: Int
    /// Judges candidates before their training goes on; nil for no judge.
    package let rule: StoppingRule?

    /// - Parameters:
    ///   - given: Networks that take part whatever is drawn.
    ///   - space: What random ones are drawn from.
    ///   - seed: The seed of what is drawn.
    ///   - rule: Judges candidates before their training goes on; nil for no judge.
    package init(given: [Candidate], space: any CandidateSpace, seed: Int, rule: StoppingRule? = nil) {
        self.given = given
        self.space = space
        self.seed = seed
        self.rule = rule
    }

    /// What is given, then what is drawn; nothing depends on the scores.
    ///
    /// - Parameters:
    ///   - scored: All that were proposed before.
    ///   - limit: How many there are to be in all.
    /// - Returns: All that are left.
    /// - Throws: `SearchSpaceError` where too few of the wanted cost are found.
    package func candidates(after scored: [ScoredCandidate], limit: Int) throws -> [Candidate] {
        let known = given.prefix(limit)
        let count = limit - known.count
        let drawn = try count > 0 ? space.draw(count: count, seed: seed) : []
        let random = drawn.enumerated().map { index, item in
            Candidate(name: "random-\(index + 1)", item.network, filters: item.filters)
        }
        return Array((known + random).dropFirst(scored.count))
    }
}

/// Regularised evolution (arXiv 1802.01548): the best of a few of the youngest is mutated, and the oldest dies.
package struct EvolutionProposer: RuleProposer {
    private let space: any CandidateSpace
    private let seed: Int
    private let population: Int
    private let tournament: Int
    /// Judges candidates before their training goes on; nil for no judge.
    package let rule: StoppingRule?

    /// - Parameters:
    ///   - space: What the first population is drawn from, and what says whether a child has the wanted cost.
    ///   - seed: The seed of all that is drawn.
    ///   - population: How many live at a time, P.
    ///   - tournament: From how many, drawn with repetition, the parent is taken, S.
    ///   - rule: Judges candidates before their training goes on; nil for no judge.
    package init(
        space: any CandidateSpace, seed: Int, population: Int = 10, tournament: Int = 3, rule: StoppingRule? = nil
    ) {
        self.space = space
        self.seed = seed
        self.population = population
        self.tournament = tournament
        self.rule = rule
    }

    /// The first population at once, then a child at a time.
    ///
    /// - Parameters:
    ///   - scored: All that were proposed before, with their scores.
    ///   - limit: How many there are to be in all.
    /// - Returns: The rest of the first population, or one child.
    /// - Throws: `SearchSpaceError` where no candidate of the wanted cost is found.
    package func candidates(after scored: [ScoredCandidate], limit: Int) throws -> [Candidate] {
        let first = min(population, max(1, limit / 2))
        if scored.count < first {
            let pool = PoolProposer(given: [], space: space, seed: seed)
            return try pool.candidates(after: scored, limit: first)
        }
        var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)), 1, scored.count)
        let living = scored.suffix(first)
        let seen = Set(scored.map(\.network))
        // Children of another cost, and those that were there before, are drawn again.
        for _ in 0..<1_000 {
            let drawn = (0..<tournament).map { _ in living[living.startIndex + stream.below(living.count)] }
            guard let parent = drawn.max(by: { ($0.score ?? -1) < ($1.score ?? -1) }) else { break }
            guard let child = space.mutant(of: parent.network, bits: { stream.next() }) else { break }
            guard !seen.contains(child), let item = try space.sized(child) else { continue }
            let number = scored.firstIndex { $0.network == parent.network } ?? 0
            return [
                Candidate(name: "child-\(scored.count + 1)-of-\(number + 1)", child, filters: item.filters)
            ]
        }
        throw SearchSpaceError(problem: "no mutation of the population has the wanted cost: \(space.remedy)")
    }
}
