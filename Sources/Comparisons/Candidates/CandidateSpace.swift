import Experiments
import SearchSpace
import Segmentation

/// A network that candidates are made of, with the filters that give it the wanted cost.
package struct SizedNetwork: Equatable, Sendable {
    /// The network.
    package let network: NetworkChoice
    /// The filter multiplier of a genotype's network; an encoder's has none.
    package let filters: Int

    /// A network with its filters.
    package init(_ network: NetworkChoice, filters: Int) {
        self.network = network
        self.filters = filters
    }
}

/// The networks that a search by training candidates draws from, whatever its proposer is.
///
/// Networks that come out of it are equal only where they are the same network: of forms that differ in an order alone it
/// gives one.
package protocol CandidateSpace: Sendable {
    /// Its networks as a sequence of choices, for a controller.
    var sequence: ChoiceSequence { get }

    /// The network that choices stand for which ``sequence`` accepts.
    func network(_ choices: [Int]) -> NetworkChoice

    /// Draws different networks uniformly, the same for the same seed.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - seed: The seed.
    /// - Returns: The networks in the order in which they were drawn, all of the wanted cost.
    /// - Throws: `SearchSpaceError` where many in a row are of another cost, or are there already; an error about the table
    ///   of latencies.
    func draw(count: Int, seed: Int) throws -> [SizedNetwork]

    /// A network that differs from another one in one choice.
    ///
    /// - Parameters:
    ///   - network: The parent.
    ///   - bits: Gives 64 random bits at each call.
    /// - Returns: The mutant, which may cost too much; nil where the parent is none of the space's.
    func mutant(of network: NetworkChoice, bits: () -> UInt64) -> NetworkChoice?

    /// - Parameter network: A network of the space.
    /// - Returns: It with its filters; nil where it is not of the wanted cost.
    /// - Throws: An error about the table of latencies.
    func sized(_ network: NetworkChoice) throws -> SizedNetwork?

    /// What a user can do where no network of the wanted cost is found.
    var remedy: String { get }
}

/// Networks from scratch (Auto-DeepLab's), brought to one cost by their filters.
package struct GenotypeCandidates: CandidateSpace {
    private let sample: GenotypeSample
    private let choices: GenotypeChoices
    private let longSkips: Bool

    /// The networks of one size.
    ///
    /// - Parameters:
    ///   - sample: What is drawn from, and what filters follow from.
    ///   - choices: The same genotypes as choices.
    ///   - longSkips: Whether mutations change long skips.
    package init(_ sample: GenotypeSample, choices: GenotypeChoices, longSkips: Bool = false) {
        (self.sample, self.choices, self.longSkips) = (sample, choices, longSkips)
    }

    /// The choices of a genotype.
    package var sequence: ChoiceSequence { choices.sequence }

    /// The network of a genotype's choices.
    package func network(_ choices: [Int]) -> NetworkChoice { .genotype(self.choices.genotype(choices)) }

    /// Draws different genotypes of the wanted cost.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - seed: The seed.
    /// - Returns: The networks in the order in which they were drawn.
    /// - Throws: As `GenotypeSample.draw(count:seed:)`.
    package func draw(count: Int, seed: Int) throws -> [SizedNetwork] {
        try sample.draw(count: count, seed: seed).map { SizedNetwork(.genotype($0.genotype), filters: $0.filters) }
    }

    /// A genotype that differs in one choice.
    ///
    /// - Parameters:
    ///   - network: The parent.
    ///   - bits: Gives 64 random bits at each call.
    /// - Returns: The mutant; nil where the parent is an encoder's.
    package func mutant(of network: NetworkChoice, bits: () -> UInt64) -> NetworkChoice? {
        network.genotype.map { .genotype($0.mutated(longSkips: longSkips, bits: bits)) }
    }

    /// The network with the filters of the wanted cost.
    ///
    /// - Parameter network: A genotype's.
    /// - Returns: nil where no filters bring it there, or it is over a limit.
    /// - Throws: An error about the table of latencies.
    package func sized(_ network: NetworkChoice) throws -> SizedNetwork? {
        try network.genotype.flatMap { try sample.item($0) }.map { SizedNetwork(network, filters: $0.filters) }
    }

    /// More to choose from, or higher limits.
    package var remedy: String { "search more blocks or layers, or raise the limits" }
}
