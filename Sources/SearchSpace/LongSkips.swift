/// Whether a search decides about long skips (ALGORITHM 11).
public enum LongSkipChoice: String, CaseIterable, Codable, Sendable {
    /// There are none, as in the paper.
    case off
    /// Gates decide.
    case on
}

/// Long skips (ALGORITHM 11): a layer that moves up reads the latest map at its own stride in place of H^{l-2}.
public enum LongSkips {
    /// The layer that each layer of a path may read by a long skip.
    ///
    /// That is the latest layer before l-1 at the layer's own stride, where the path moves up and that layer is not l-2,
    /// which the cell reads anyway. A path moves one level at a time from the stem, so it was at any stride to which it
    /// moves up.
    ///
    /// - Parameter path: The stride of each layer from 1 on, which `Genotype.validate()` accepts.
    /// - Returns: For each layer a layer, 0 for the stem; nil where no long skip is possible.
    public static func sources(along path: [Stride]) -> [Int?] {
        var latest = [Stride.s4: 0]
        return path.indices.map { index in
            let stride = path[index]
            defer { latest[stride] = index + 1 }
            guard index > 0, Move(from: path[index - 1], to: stride) == .up else { return nil }
            return latest[stride].flatMap { $0 < index - 1 ? $0 : nil }
        }
    }

    /// Whether a layer of this stride may have a long skip, behind layers of two others, the stem's where there are none.
    ///
    /// It moves up, and the layer two before it is at another stride.
    static func isPossible(at stride: Stride, after previous: Stride, _ previous2: Stride) -> Bool {
        Move(from: previous, to: stride) == .up && previous2 != stride
    }
}

extension Genotype {
    /// The genotype with every long skip that its path allows.
    public var withAllSkips: Genotype {
        Genotype(path: path, skips: LongSkips.sources(along: path), cell: cell, atrous: atrous, stem: stem)
    }

    /// The genotype without long skips.
    public var withoutSkips: Genotype { Genotype(path: path, cell: cell, atrous: atrous, stem: stem) }

    /// Whether any layer has a long skip.
    public var hasSkips: Bool { skips.contains { $0 != nil } }

    /// Sources and layers of the long skips, as "2 to 6, 1 to 7"; nil without any.
    package var skipDescription: String? {
        let skips = zip(1..., skips).compactMap { layer, source in source.map { "\($0) to \(layer)" } }
        return skips.isEmpty ? nil : skips.joined(separator: ", ")
    }

    /// Checks the long skips of a path that is valid.
    func validateSkips() throws {
        func refuse(_ index: Int, _ problem: String) -> SearchSpaceError {
            SearchSpaceError(location: "skips[\(index)]", problem: problem)
        }
        guard skips.count == layers else {
            throw SearchSpaceError(location: "skips", problem: "\(skips.count) entries, but there are \(layers) layers")
        }
        for (index, (skip, source)) in zip(skips, LongSkips.sources(along: path)).enumerated() {
            guard let skip, skip != source else { continue }
            if let source {
                let place = source == 0 ? "0, the stem," : "\(source)"
                throw refuse(
                    index, "layer \(index + 1) cannot skip from layer \(skip); its source is \(place) or null for none")
            }
            let reason =
                moves[index] == .up
                ? "reads layer \(index - 1) at its own stride anyway" : "does not move to a finer stride"
            throw refuse(index, "layer \(index + 1) \(reason), so it has no long skip; use null")
        }
    }
}
