import SearchSpace
import Torch

extension NetworkSpace {
    /// The strides at which a path may have been two layers before a node, finer first; 2 for the stem's first map.
    func strides(before node: Node) -> [Int] { Set(arrows(into: node).flatMap(strides(before:))).sorted() }

    /// The same for a path that takes an arrow.
    func strides(before arrow: Arrow) -> [Int] {
        arrow.source.layer == 0 ? [2] : arrows(into: arrow.source).map(\.source.stride.rawValue)
    }
}

/// Where a path was two layers before, as likely as beta has it: what says which map is a cell's H^{l-2}.
///
/// A path that takes the arrow r -> s into layer l was at q in layer l-2 with the chance f_{l-2}(q) b_{q->r} / f_{l-1}(r), where
/// f is the chance that a path comes by a node.
struct PathOrigins {
    private let rows: [Node: Tensor]

    /// - Parameters:
    ///   - probabilities: Those of the arrows that leave each node, `[arrows]`.
    ///   - space: The trellis.
    init(_ probabilities: Tensor, in space: NetworkSpace) {
        func full(_ value: Double, _ shape: [Int]) -> Tensor {
            .full(value, shape, dtype: probabilities.dtype, device: probabilities.device)
        }
        var rows: [Node: Tensor] = [:]
        for stride in space.strides(inLayer: 1) { rows[Node(layer: 1, stride: stride)] = full(1, [1, 1]) }
        /// How likely a path comes by the nodes of the layer, in their order.
        var reached = full(1, [1])
        for layer in 1..<max(1, space.layers) {
            let arrows = space.arrows.filter { $0.target.layer == layer }
            let (before, nodes) = (space.strides(inLayer: layer - 1), space.strides(inLayer: layer))
            func places(_ values: [Int?], missing: Int) -> Tensor {
                Tensor(values.map { Int64($0 ?? missing) }, shape: [values.count], device: probabilities.device)
            }
            let sources = places(arrows.map { before.firstIndex(of: $0.source.stride) }, missing: 0)
            let taken =
                reached.indexSelect(0, sources)
                * probabilities.narrow(0, start: arrows[0].index, length: arrows.count)
            // Nodes are in the order of the arrows into them.
            var start = 0
            var sums: [Tensor] = []
            for stride in nodes {
                let count = arrows.count { $0.target.stride == stride }
                sums.append(taken.narrow(0, start: start, length: count).sum([0], keep: true))
                start += count
            }
            let next = concatenate(sums, dim: 0)
            let targets = places(arrows.map { nodes.firstIndex(of: $0.target.stride) }, missing: 0)
            // A node that no path comes by has no origin, and weighs nothing.
            let chances = taken / (next.indexSelect(0, targets) + 1e-30)
            let padded = concatenate([chances, full(0, [1])], dim: 0)
            for stride in space.strides(inLayer: layer + 1) {
                let node = Node(layer: layer + 1, stride: stride)
                let (own, strides) = (space.arrows(into: node), space.strides(before: node))
                let cells = own.flatMap { arrow in
                    strides.map { stride in
                        arrows.firstIndex { $0.target == arrow.source && $0.source.stride.rawValue == stride }
                    }
                }
                rows[node] = padded.indexSelect(0, places(cells, missing: arrows.count))
                    .reshape([own.count, strides.count])
            }
            reached = next
        }
        self.rows = rows
    }

    /// For each arrow into a node, and each of the node's ``NetworkSpace/strides(before:)``, the chance.
    subscript(_ node: Node) -> Tensor? { rows[node] }
}
