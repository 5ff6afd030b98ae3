extension Genotype {
    /// Every valid genotype that differs from this one in one choice of a kind (regularised evolution, arXiv 1802.01548,
    /// on this space).
    public enum Mutation: CaseIterable, Sendable {
        /// What one branch reads; the two of a block read different inputs.
        case input
        /// One branch's operator, `none` excepted.
        case op
        /// One layer's stride, one level at most from those of its neighbours; layers that can keep their long skips do.
        case stride
        /// Whether one layer has its long skip.
        case longSkip
    }

    /// - Parameter mutation: What is changed.
    /// - Returns: The genotypes, each once; empty where there is no other choice.
    public func mutants(_ mutation: Mutation) -> [Genotype] {
        switch mutation {
        case .stride:
            return path.indices.flatMap { layer in
                Stride.allCases.compactMap { stride -> Genotype? in
                    let before = layer == 0 ? Stride.s4 : path[layer - 1]
                    let after = layer + 1 < path.count ? path[layer + 1] : stride
                    guard stride != path[layer], before.neighbours.contains(stride), stride.neighbours.contains(after)
                    else { return nil }
                    var result = self
                    result.path[layer] = stride
                    result.skips = zip(skips, LongSkips.sources(along: result.path)).map { $0 == nil ? nil : $1 }
                    return result
                }
            }
        case .longSkip:
            return zip(path.indices, LongSkips.sources(along: path)).compactMap { layer, source in
                guard let source else { return nil }
                var result = self
                result.skips[layer] = skips[layer] == nil ? source : nil
                return result
            }
        case .op:
            return branches { branch, _ in
                Operator.allCases.filter { $0 != branch.op && $0 != .none }.map { Branch(input: branch.input, op: $0) }
            }
        case .input:
            return branches { branch, place in
                let other = cell.blocks[place.block].branches[1 - place.side].input
                return (0..<(place.block + 2)).map { CellInput(index: $0) }
                    .filter { $0 != branch.input && $0 != other }.map { Branch(input: $0, op: branch.op) }
            }
        }
    }

    /// Changes one choice: each kind of choice that has another value is equally likely, and so is each of its values.
    ///
    /// - Parameters:
    ///   - longSkips: Whether long skips are among the choices.
    ///   - bits: Gives random bits, 64 at a time.
    /// - Returns: The mutant; the genotype itself where nothing can be changed.
    public func mutated(longSkips: Bool = false, bits: () -> UInt64) -> Genotype {
        let kinds = Mutation.allCases.filter { longSkips || $0 != .longSkip }.map(mutants).filter { !$0.isEmpty }
        guard !kinds.isEmpty else { return self }
        let mutants = kinds[Int(uniform(below: UInt128(kinds.count), bits))]
        return mutants[Int(uniform(below: UInt128(mutants.count), bits))]
    }

    /// Genotypes with one branch exchanged, the branches of a block in the order of their inputs.
    private func branches(_ choices: (Branch, (block: Int, side: Int)) -> [Branch]) -> [Genotype] {
        cell.blocks.indices.flatMap { block in
            (0..<2).flatMap { side in
                choices(cell.blocks[block].branches[side], (block, side)).map { branch in
                    var pair = cell.blocks[block].branches
                    pair[side] = branch
                    if pair[0].input.index > pair[1].input.index { pair.swapAt(0, 1) }
                    var result = self
                    result.cell.blocks[block] = Block(first: pair[0], second: pair[1])
                    return result
                }
            }
        }
    }
}

/// A number below a bound, each equally likely.
func uniform(below bound: UInt128, _ bits: () -> UInt64) -> UInt128 {
    // The numbers above the last whole multiple of the bound would make the first ones likelier.
    let limit = UInt128.max - UInt128.max % bound
    while true {
        let (high, low) = (bits(), bits())
        let number = UInt128(high) << 64 | UInt128(low)
        if number < limit { return number % bound }
    }
}
