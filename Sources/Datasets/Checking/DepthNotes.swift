import Images

extension [(file: String, facts: SampleFacts)] {
    /// What a report says of the images' files: how many have more than 8 bits and what their values are, how many of
    /// these lie outside of the range, and what readers noted.
    func depthNotes(_ range: ValueRange?) -> [String] {
        var result: [String] = []
        let deep = filter { $0.facts.values != nil }
        let depths = Set(deep.map(\.facts.depth)).sorted().map(String.init).joined(separator: " and ")
        if let low = deep.compactMap(\.facts.values?.lowerBound).min(),
            let high = deep.compactMap(\.facts.values?.upperBound).max()
        {
            result.append("\(deep.count) images have \(depths) bits a sample, values from \(low) to \(high)")
            if let range, let (file, facts) = deep.first(where: { ($0.facts.values?.upperBound ?? 0) > range.high }) {
                let count = deep.filter { ($0.facts.values?.upperBound ?? 0) > range.high }.count
                result.append(
                    "\(count) images have values above \(range.high), which are cut off (\(file): up to"
                        + " \(facts.values?.upperBound ?? 0)): give data.range if they matter")
            }
        }
        let notes = ReadNotes()
        for (file, facts) in self {
            notes.add(facts.notes, file: file)
            notes.add(facts.mask.notes, file: facts.mask.file)
        }
        return result + notes.take()
    }
}
