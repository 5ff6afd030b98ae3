extension DecoderGenotype {
    /// The form that decoders have in common which are the same up to the order of two maps of a block or two branches of a
    /// node.
    ///
    /// It is the one whose ``choices`` come first: of the branches in all orders, since branches that are equal by
    /// themselves may be told apart by what reads them. Positions follow the branches.
    public var canonical: DecoderGenotype {
        let blocks = blocks.map { DecoderBlock(min($0.first, $0.second), max($0.first, $0.second)) }
        let forms = (0..<(1 << cell.nodes.count)).map { swaps in
            DecoderGenotype(blocks: blocks, cell: cell.swapped { swaps >> $0 & 1 == 1 })
        }
        return forms.min { $0.choices.lexicographicallyPrecedes($1.choices) } ?? self
    }

    /// Changes one choice: each is equally likely, and so is each other option of it; what is the same decoder still is
    /// drawn again.
    ///
    /// - Parameter bits: Gives 64 random bits at each call.
    /// - Returns: The mutant.
    public func mutated(bits: () -> UInt64) -> DecoderGenotype { mutated(in: .published, bits: bits) }

    /// The same in a space of other sizes, in which some choice makes another decoder.
    package func mutated(in space: DecoderSpace, bits: () -> UInt64) -> DecoderGenotype {
        let options = space.choices.map(\.options)
        // What has one option cannot be changed.
        let open = options.indices.filter { options[$0] > 1 }
        let canonical = canonical
        while true {
            var choices = choices
            let index = open[Int(uniform(below: UInt128(open.count), bits))]
            let other = Int(uniform(below: UInt128(options[index] - 1), bits))
            choices[index] = other < choices[index] ? other : other + 1
            let mutant = space.genotype(choices)
            if mutant.canonical != canonical { return mutant }
        }
    }
}

extension DecoderCell {
    /// The same cell with the branches of some nodes, counted from 0, in the other order.
    fileprivate func swapped(_ isSwapped: (Int) -> Bool) -> DecoderCell {
        func moved(_ branch: DecoderBranch) -> DecoderBranch {
            // Positions from 2 on come by threes: first branch, second branch, sum.
            let (node, part) = (branch.position - 2).quotientAndRemainder(dividingBy: 3)
            guard branch.position >= 2, part < 2, isSwapped(node) else { return branch }
            return DecoderBranch(branch.position + (part == 0 ? 1 : -1), branch.operation)
        }
        return DecoderCell(
            first: first,
            nodes: nodes.enumerated().map { index, node in
                let (first, second) = (moved(node.first), moved(node.second))
                return isSwapped(index) ? DecoderNode(second, first) : DecoderNode(first, second)
            })
    }
}
