/// How large the search spaces are; exact up to 2^53, rounded beyond.
public enum SpaceCounts {
    /// What a path's first layer may be.
    public enum PathReading: String, CaseIterable, Hashable, Sendable {
        /// The first layer is fixed at stride 4: the paper's 2.9e4 (28,657 for 12 layers).
        case firstLayerFixed
        /// The first layer is at 4 or 8, as Figure 1 draws it: 75,025 for 12 layers.
        case firstLayerFree
    }

    /// The number of cells: the product over blocks i of (i+1)^2 inputs and 8^2 operators; 5.6e14 for 5 blocks.
    public static func cells(blocks: Int = 5) -> Double {
        var count = 1.0
        for block in 1...blocks {
            let choices = Double((block + 1) * Operator.allCases.count)
            count *= choices * choices
        }
        return count
    }

    /// The number of paths of a network with this many layers.
    public static func paths(layers: Int = 12, reading: PathReading = .firstLayerFixed) -> Double {
        var ending: [Double] = [1, 0, 0, 0]
        let moves = reading == .firstLayerFixed ? layers - 1 : layers
        for _ in 0..<moves {
            ending = Stride.allCases.map { stride in stride.neighbours.reduce(0) { $0 + ending[$1.level] } }
        }
        return ending.reduce(0, +)
    }

    /// The number of paths with long skips, each of which is there or not; 84,466 and 254,081 for 12 layers.
    public static func pathsWithSkips(layers: Int = 12, reading: PathReading = .firstLayerFixed) -> Double {
        // By the strides of the last two layers, which settle whether the next may have a skip.
        var ending: [[Stride]: Double] = [[.s4, .s4]: 1]
        let moves = reading == .firstLayerFixed ? layers - 1 : layers
        for _ in 0..<moves {
            var next: [[Stride]: Double] = [:]
            for (last, count) in ending {
                for stride in last[1].neighbours {
                    let choices = LongSkips.isPossible(at: stride, after: last[1], last[0]) ? 2.0 : 1
                    next[[last[1], stride], default: 0] += choices * count
                }
            }
            ending = next
        }
        return ending.values.reduce(0, +)
    }

    /// The number of networks: cells times paths.
    public static func joint(
        layers: Int = 12, blocks: Int = 5, reading: PathReading = .firstLayerFixed
    ) -> Double {
        cells(blocks: blocks) * paths(layers: layers, reading: reading)
    }
}
