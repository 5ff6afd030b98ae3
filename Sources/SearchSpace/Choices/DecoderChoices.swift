extension DecoderSpace {
    /// The choices as a controller makes them: a head for each map and each position, one for all operations, and a step
    /// for each of the encoder's maps before the first (arXiv 1810.10804).
    public var sequence: ChoiceSequence {
        let choices = choices.enumerated().map { place, choice in
            let head =
                switch choice.kind {
                case .map: "map.\(place + 1)"
                case .position: "position.\(place + 1)"
                case .operation: "operation"
                }
            return ChoiceSequence.Choice(head: head, count: choice.options)
        }
        return ChoiceSequence(choices, warmUp: maps)
    }
}
