import Networks
import SearchSpace

/// Multiply-adds of the supernet's convolutions for one image, counted as the paper defines the network: one of each
/// operator for every edge of every arrow's cell.
package struct SupernetCost {
    package private(set) var multiplyAdds = 0

    package init(_ configuration: SupernetConfiguration, size: Int) {
        let space = NetworkSpace(layers: configuration.layers)
        let width = configuration.blocks * configuration.filters
        func pixels(_ stride: Int) -> Int { scaledSize(size, stride: stride) * scaledSize(size, stride: stride) }
        func add(_ kernel: Int, from: Int, to: Int, at stride: Int) {
            multiplyAdds += kernel * kernel * from * to * pixels(stride)
        }
        add(3, from: 3, to: width / 2, at: 2)
        add(3, from: width / 2, to: width / 2, at: 2)
        add(3, from: width / 2, to: width, at: 4)
        let edges = CellSpace(blocks: configuration.blocks).edges
        let second = edges.count { $0.input == .previous2 }
        for node in space.nodes {
            let target = node.stride.rawValue
            let channels = configuration.filters * target / 4
            let operators = SearchSpace.Operator.allCases.reduce(0) { sum, op in
                sum
                    + op.convolutions(channels: channels, stride: 1, atrous: configuration.atrous).reduce(0) {
                        $0 + $1.multiplyAdds(outputSize: pixels(target))
                    }
            }
            let arrows = space.arrows(into: node)
            // Arrows that share a cell share what reads H^{l-2} too.
            let shares = configuration.cells == .perNode
            multiplyAdds += operators * (arrows.count * (edges.count - second) + (shares ? 1 : arrows.count) * second)
            for arrow in arrows {
                let source = arrow.source.stride.rawValue
                add(source < target ? 3 : 1, from: width * source / 4, to: channels, at: target)
            }
            let before = space.secondInput(of: node)
            add(before.factor > 1 ? 3 : 1, from: width * before.stride / 4, to: channels, at: target)
        }
        for stride in space.strides(inLayer: configuration.layers).map(\.rawValue) {
            let channels = width * stride / 4
            add(1, from: channels, to: channels, at: stride)
            add(3, from: channels, to: channels, at: stride)
            add(1, from: 2 * channels, to: channels, at: stride)
            add(1, from: channels, to: configuration.classes, at: stride)
        }
    }
}
