import Configurations
import Experiments
import Runs
import SearchSpace
import Torch

/// What a search by training candidates chooses from: networks that take part whatever is drawn, and a space.
struct CandidatePool {
    /// The networks that take part whatever is drawn.
    let given: [Candidate]
    /// The network whose cost all have that are brought to one.
    let reference: NetworkChoice
    /// What the others are drawn from, or proposed of.
    let space: any CandidateSpace
    /// The same as random genotypes, for scores within a supernet; nil where the space is another.
    let sample: GenotypeSample?
    /// Makes a candidate of a network that has a name, brought to the cost of all.
    let candidate: (_ name: String, _ network: NetworkChoice, _ stepsPerEpoch: Int?) -> Candidate

    /// The pool of a configuration.
    ///
    /// - Parameters:
    ///   - configuration: How candidates are trained.
    ///   - images: What they see.
    ///   - limits: What they may cost.
    /// - Throws: One line about a network of the pool, or the size of the space.
    init(_ configuration: Configuration, _ images: InputSpecification, _ limits: CostLimits) throws {
        switch configuration.search.space {
        case .networks: self = try .networks(configuration, images, limits)
        case .decoders: self = try .decoders(configuration, limits)
        }
    }

    private init(
        given: [Candidate], reference: NetworkChoice, space: any CandidateSpace, sample: GenotypeSample?,
        candidate: @escaping (String, NetworkChoice, Int?) -> Candidate
    ) {
        (self.given, self.reference, self.space, self.sample) = (given, reference, space, sample)
        self.candidate = candidate
    }

    /// All candidates have the multiply-adds of DeepLabv3's path with `train.filters`, within this share.
    private static let tolerance = 0.1

    /// Networks from scratch, all of one cost: that of DeepLabv3's path, or of the first encoder among them.
    private static func networks(
        _ configuration: Configuration, _ images: InputSpecification, _ limits: CostLimits
    ) throws -> CandidatePool {
        let (search, train) = (configuration.search, configuration.train)
        let longSkips = search.longSkips == .on
        let sampler = try GenotypeSampler(
            layers: search.layers, blocks: search.blocks, atrous: search.atrous, longSkips: longSkips,
            stem: search.stem)
        let reference = try KnownDesign.deeplabv3.genotype(
            layers: max(search.layers, KnownDesign.deeplabv3.minimumLayers)
        ).on(search.stem)
        let pool = try ComparedNetwork.named(by: search.namedPool, decoder: train.decoder)
        try ComparedNetwork.refuseEncoders(among: pool, channels: images.channels, train)
        // An encoder has one size, which the others take.
        let first = pool.lazy.map(\.choice).first { $0.genotype == nil } ?? .genotype(reference)
        let multiplyAdds = first.cost(train, on: images).multiplyAdds
        let wanted = Double(multiplyAdds)
        let sample = GenotypeSample(
            sampler, train, on: images,
            wanted: .init(
                multiplyAdds: wanted * (1 - tolerance)...wanted * (1 + tolerance), anyFilters: true), limits: limits)
        let choices = try GenotypeChoices(
            layers: search.layers, blocks: search.blocks, atrous: search.atrous, longSkips: longSkips,
            stem: search.stem)
        func candidate(_ name: String, _ network: NetworkChoice, _ steps: Int?) -> Candidate {
            let filters = network.filters(closestTo: multiplyAdds, train, on: images).filters
            return Candidate(name: name, network, filters: filters, stepsPerEpoch: steps)
        }
        func given() -> [Candidate] {
            guard [.race, .paper].contains(search.method) else { return [] }
            let designs = KnownDesign.allCases.filter { longSkips || $0 != .unet }.compactMap { design in
                (try? design.genotype(layers: search.layers)).map {
                    candidate(design.rawValue, .genotype($0.on(search.stem)), nil)
                }
            }
            return different(named(pool, search, candidate) + designs)
        }
        return CandidatePool(
            given: given(), reference: first, space: GenotypeCandidates(sample, choices: choices, longSkips: longSkips),
            sample: sample,
            candidate: candidate)
    }

    /// Decoders of one width on the encoder of the training.
    private static func decoders(_ configuration: Configuration, _ limits: CostLimits) throws -> CandidatePool {
        let (search, train) = (configuration.search, configuration.train)
        guard let encoder = train.encoder.kind else {
            throw ConfigurationError(.contradiction, "search.space: decoders need an encoder: set train.encoder")
        }
        func candidate(_ name: String, _ network: NetworkChoice, _ steps: Int?) -> Candidate {
            Candidate(name: name, network, filters: train.filters, stepsPerEpoch: steps)
        }
        func given() throws -> [Candidate] {
            guard search.method == .race else { return [] }
            // A decoder alone goes with the encoder of all.
            let pool = try ComparedNetwork.named(
                by: search.pool.map { EncoderKind.split($0) == nil ? "\(encoder.rawValue)+\($0)" : $0 },
                decoder: train.decoder)
            for network in pool {
                guard case .encoder(encoder, _) = network.choice else {
                    throw ConfigurationError(
                        .contradiction,
                        "search.pool: \(network.argument) is no decoder on \(encoder.rawValue), as all candidates are: name "
                            + "a decoder or its file")
                }
            }
            let own = pool.enumerated().map { index, network in
                let name =
                    network.name.hasPrefix(encoder.rawValue + "+")
                    ? String(network.name.dropFirst(encoder.rawValue.count + 1)) : network.name
                return candidate(
                    name.replacing(":", with: "-"), network.choice, search.stepsPerEpoch(ofPool: index))
            }
            let known = KnownDecoder.allCases.map { decoder in
                candidate(
                    "nekrasov-\(decoder.rawValue)", .encoder(encoder, .searched(decoder.genotype)), nil)
            }
            return different(own + known)
        }
        return CandidatePool(
            given: try given(), reference: .encoder(encoder, train.decoder),
            space: DecoderCandidates(encoder, limits: limits.isEmpty ? nil : limits, filters: train.filters),
            sample: nil, candidate: candidate)
    }

    /// The networks of `search.pool` that have a name.
    private static func named(
        _ pool: [ComparedNetwork], _ search: SearchConfiguration,
        _ candidate: (String, NetworkChoice, Int?) -> Candidate
    ) -> [Candidate] {
        pool.map { network in
            let index = search.pool.firstIndex(of: network.argument)
            return candidate(network.name, network.choice, index.flatMap(search.stepsPerEpoch(ofPool:)))
        }
    }

    /// Each network once.
    static func different(_ candidates: [Candidate]) -> [Candidate] {
        var seen: Set<NetworkChoice> = []
        return candidates.filter { seen.insert($0.network).inserted }
    }
}

extension CandidatePool {
    /// What the paper's search found, in the size of all candidates.
    ///
    /// - Parameters:
    ///   - configuration: The search's.
    ///   - output: Its folder.
    /// - Returns: A candidate for each network; none where the paper's search is not the first part.
    /// - Throws: An error about the genotypes' files.
    func searched(_ configuration: Configuration, in output: String) throws -> [Candidate] {
        let search = configuration.search
        guard search.searchesFirst else { return [] }
        let steps = search.pool.firstIndex(of: SearchConfiguration.searched).flatMap(search.stepsPerEpoch(ofPool:))
        return try SearchedPool(in: output, configuration).genotypes().enumerated().map { index, found in
            let (epoch, genotype) = found
            let name = index == 0 ? SearchConfiguration.searched : "\(SearchConfiguration.searched)-epoch-\(epoch)"
            return candidate(name, .genotype(genotype), steps)
        }
    }
}
