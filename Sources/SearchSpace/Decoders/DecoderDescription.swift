extension DecoderGenotype {
    /// What a map is called: `encoder4` to `encoder32` by stride, `block1` to `block3`.
    package static func name(ofMap map: Int) -> String {
        map < encoderMaps ? "encoder\(4 << map)" : "block\(map - encoderMaps + 1)"
    }

    /// The genotype in words, a line for each node and block, and for what the cell and the decoder give.
    package var lines: [String] {
        let nodes = cell.nodes.enumerated().map { index, node in
            let branches = node.branches.map {
                "\($0.operation.rawValue)(\(DecoderCell.name(ofPosition: $0.position)))"
            }
            return "node\(index + 1) = " + branches.joined(separator: " + ")
        }
        let result = cell.loosePositions.map(DecoderCell.name).joined(separator: " + ")
        let blocks = blocks.enumerated().map { index, block in
            "block\(index + 1) = "
                + block.maps.map { "cell(\(DecoderGenotype.name(ofMap: $0)))" }.joined(separator: " + ")
        }
        let loose = looseMaps.map(DecoderGenotype.name).joined(separator: ", ")
        return ["node0 = \(cell.first.rawValue)(input)"] + nodes + ["cell = \(result)"] + blocks
            + ["classes from \(loose) at stride \(stride)"]
    }
}

extension DecoderCell {
    /// What a position is called: `input`, `node0`, `node1.first`, `node1.second`, `node1`, ...
    package static func name(ofPosition position: Int) -> String {
        guard position >= 2 else { return position == 0 ? "input" : "node0" }
        let (node, part) = (position - 2).quotientAndRemainder(dividingBy: 3)
        return "node\(node + 1)" + [".first", ".second", ""][part]
    }
}
