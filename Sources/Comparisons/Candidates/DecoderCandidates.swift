import Configurations
import Experiments
import SearchSpace
import Segmentation

/// Decoders by genotype on one encoder (arXiv 1810.10804; ALGORITHM 14): all of one width, each at the cost that it has.
package struct DecoderCandidates: CandidateSpace {
    private let encoder: EncoderKind
    private let filters: Int
    private let limits: CostLimits?
    private let wanted: ClosedRange<Double>?
    private let space: DecoderSpace

    /// The decoders of an encoder.
    ///
    /// - Parameters:
    ///   - encoder: The encoder.
    ///   - limits: What no network may cost more than, with the widths of the search; nil for no limit.
    ///   - filters: The training's filter multiplier, which no network here has a use for.
    ///   - wanted: The least and the most multiply-adds, counted as for the limits, which must be given then; nil takes all.
    ///   - space: What is drawn from: networks are built of the published one alone.
    package init(
        _ encoder: EncoderKind, limits: CostLimits?, filters: Int = 1, wanted: ClosedRange<Double>? = nil,
        space: DecoderSpace = .published
    ) {
        precondition(wanted == nil || limits != nil, "a wanted cost, and nothing to count it by")
        (self.encoder, self.limits, self.filters, self.space) = (encoder, limits, filters, space)
        self.wanted = wanted
    }

    /// The 19 choices of a decoder.
    package var sequence: ChoiceSequence { space.sequence }

    /// The network of a decoder's choices, in the form that decoders have in common which are the same.
    package func network(_ choices: [Int]) -> NetworkChoice {
        network(of: space.genotype(choices))
    }

    private func network(of genotype: DecoderGenotype) -> NetworkChoice {
        .encoder(encoder, .searched(genotype.canonical))
    }

    /// Tries in a row after which there is no use in going on.
    private static let patience = 20_000
    /// The same where each try is put together from measured times.
    private static let measuredPatience = 200

    /// Draws different decoders within the limits, each sequence of choices equally likely.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - seed: The seed.
    /// - Returns: The networks in the order in which they were drawn.
    /// - Throws: `SearchSpaceError` where many in a row are over a limit; an error about the table of latencies.
    package func draw(count: Int, seed: Int) throws -> [SizedNetwork] {
        var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)))
        var seen: Set<NetworkChoice> = []
        var found: [SizedNetwork] = []
        var misses = 0
        let patience =
            limits?.latency == nil ? DecoderCandidates.patience : DecoderCandidates.measuredPatience
        while found.count < count {
            let network = network(of: space.sample { stream.next() })
            if seen.insert(network).inserted, let sized = try sized(network) {
                found.append(sized)
                misses = 0
                continue
            }
            misses += 1
            guard misses < patience else {
                let excess = try limits?.judge(network, filters: filters).excess.first
                throw SearchSpaceError(
                    problem:
                        "only \(found.count) of \(count) decoders found: of the last \(misses) none was new, of the wanted"
                        + " cost and within the limits" + (excess.map { " (one has \($0))" } ?? "") + "; \(remedy)")
            }
        }
        return found
    }

    /// A decoder that differs in one choice, and is not the same one in another order.
    ///
    /// - Parameters:
    ///   - network: The parent.
    ///   - bits: Gives 64 random bits at each call.
    /// - Returns: The mutant; nil where the parent has no decoder of a genotype.
    package func mutant(of network: NetworkChoice, bits: () -> UInt64) -> NetworkChoice? {
        network.decoderGenotype.map { self.network(of: $0.mutated(in: space, bits: bits)) }
    }

    /// The network, where it is within the limits.
    ///
    /// - Parameter network: A network of the space.
    /// - Returns: nil where it is over one.
    /// - Throws: An error about the table of latencies.
    package func sized(_ network: NetworkChoice) throws -> SizedNetwork? {
        if let wanted, let limits {
            let cost = network.cost(limits.train, on: limits.images)
            guard wanted.contains(Double(cost.multiplyAdds)) else { return nil }
        }
        let excess = try limits?.judge(network, filters: filters).excess ?? []
        return excess.isEmpty ? SizedNetwork(network, filters: filters) : nil
    }

    /// Other limits, or less that every decoder has in common.
    package var remedy: String {
        wanted == nil ? "raise the limits, or take fewer channels" : "widen the range, or raise the limits"
    }
}

extension NetworkChoice {
    /// The decoder's genotype, where the network is an encoder with such a decoder.
    package var decoderGenotype: DecoderGenotype? {
        guard case .encoder(_, let decoder) = self else { return nil }
        return decoder.genotype
    }
}

extension Configuration {
    /// How candidates are trained: where decoders are searched, with their widths, first without the encoder.
    var ofCandidates: Configuration {
        guard search.space == .decoders else { return self }
        var result = self
        result.train.cellChannels = search.decoder.channels
        result.train.cellRepeats = search.decoder.repeats
        result.train.freezeEpochs = search.decoder.epochs
        result.train.frozenImages = search.decoder.images
        result.train.frozenBatch = search.decoder.batch
        result.train.epochs += search.decoder.epochs
        return result
    }
}
