/// A place in the trellis: a layer at a stride, where layer 0 at stride 4 is the stem.
public struct Node: Hashable, Sendable {
    /// The layer, 1 to L; 0 for the stem.
    public let layer: Int
    /// The stride of the layer's map.
    public let stride: Stride

    /// A node of the trellis.
    public init(layer: Int, stride: Stride) {
        self.layer = layer
        self.stride = stride
    }
}

/// A possible step of the network from a layer to the next: one entry of beta.
public struct Arrow: Hashable, Sendable {
    /// The arrow's number: by layer, then by target stride, then by source stride.
    public let index: Int
    /// The node that it leaves.
    public let source: Node
    /// The node that it leads to, one layer later.
    public let target: Node
    /// How the resolution changes.
    public let move: Move
}

/// The arrows that leave one node: one softmax over beta.
public struct ArrowGroup: Hashable, Sendable {
    /// The node that the arrows leave.
    public let source: Node
    /// The arrows, to the finer target first.
    public let arrows: [Arrow]
}

/// Where a node finds its H^{l-2}.
public struct SecondInput: Hashable, Sendable {
    /// The layer that is read; 0 is the stem's map at stride 4 and -1 its map at stride 2.
    public let layer: Int
    /// The stride of the map that is read: 2, 4, 8, 16 or 32.
    public let stride: Int
    /// The node's stride over that of the map: 1, or 2 or 4 at the seven corners.
    public let factor: Int

    /// A map that serves as H^{l-2}.
    public init(layer: Int, stride: Int, factor: Int) {
        self.layer = layer
        self.stride = stride
        self.factor = factor
    }
}

/// The network-level search space of ALGORITHM 2: a trellis of L layers at strides 4 to 32 behind the stem.
public struct NetworkSpace: Hashable, Sendable {
    /// The number of layers, L.
    public let layers: Int
    /// All nodes of layers 1 to L, by layer, finer first; 45 for L = 12.
    public let nodes: [Node]
    /// All arrows, in beta's order; 105 for L = 12.
    public let arrows: [Arrow]
    /// The softmax groups, by source node; 42 for L = 12.
    public let groups: [ArrowGroup]

    private let incoming: [Node: [Arrow]]
    private let outgoing: [Node: [Arrow]]

    /// The space of networks with this many layers.
    public init(layers: Int = 12) {
        precondition(layers >= 1, "a network has at least one layer, not \(layers)")
        var nodes: [Node] = []
        var arrows: [Arrow] = []
        for layer in 1...layers {
            let before = NetworkSpace.strides(inLayer: layer - 1)
            for stride in NetworkSpace.strides(inLayer: layer) {
                let target = Node(layer: layer, stride: stride)
                nodes.append(target)
                for sourceStride in before {
                    guard let move = Move(from: sourceStride, to: stride) else { continue }
                    let source = Node(layer: layer - 1, stride: sourceStride)
                    arrows.append(Arrow(index: arrows.count, source: source, target: target, move: move))
                }
            }
        }
        let outgoing = Dictionary(grouping: arrows, by: \.source)
        self.layers = layers
        self.nodes = nodes
        self.arrows = arrows
        self.outgoing = outgoing
        incoming = Dictionary(grouping: arrows, by: \.target)
        let sources = [Node(layer: 0, stride: .s4)] + nodes.filter { $0.layer < layers }
        groups = sources.map { ArrowGroup(source: $0, arrows: outgoing[$0] ?? []) }
    }

    /// The strides that exist in a layer, finer first; layer 0 is the stem at 4.
    public func strides(inLayer layer: Int) -> [Stride] {
        precondition((0...layers).contains(layer), "layer \(layer) is not between 0 and \(layers)")
        return NetworkSpace.strides(inLayer: layer)
    }

    /// The arrows that lead into a node, by source stride; none for the stem.
    public func arrows(into node: Node) -> [Arrow] { incoming[node] ?? [] }

    /// The arrows that leave a node, by target stride; none for the last layer.
    public func arrows(from node: Node) -> [Arrow] { outgoing[node] ?? [] }

    /// The arrows that a path takes, from the stem on.
    public func arrows(along path: [Stride]) -> [Arrow] {
        precondition(path.count == layers, "a path of \(path.count) strides in a space of \(layers) layers")
        let nodes = zip(0..., [.s4] + path).map { Node(layer: $0, stride: $1) }
        return zip(nodes, nodes.dropFirst()).map { source, target in
            guard let arrow = arrows(into: target).first(where: { $0.source == source }) else {
                preconditionFailure("no arrow from \(source) to \(target)")
            }
            return arrow
        }
    }

    /// Where a node finds its H^{l-2}: layer l-2 at the node's stride, or the nearest resolution that exists there.
    public func secondInput(of node: Node) -> SecondInput {
        precondition(node.layer >= 1 && node.layer <= layers, "node \(node) has no second input")
        guard node.layer >= 2 else {
            return SecondInput(layer: -1, stride: 2, factor: node.stride.rawValue / 2)
        }
        // Layers lack only coarse resolutions, so the nearest is the coarsest that is not coarser than the node.
        let existing = NetworkSpace.strides(inLayer: node.layer - 2).last { $0 <= node.stride } ?? .s4
        return SecondInput(
            layer: node.layer - 2, stride: existing.rawValue, factor: node.stride.rawValue / existing.rawValue)
    }

    private static func strides(inLayer layer: Int) -> [Stride] {
        Array(Stride.allCases.prefix(layer + 1))
    }
}
