import Networks
import SearchSpace
import Torch

/// ALGORITHM 1 to 4 written down once more, plainly: a loop over arrows, blocks, edges and operators, one convolution
/// and one batch normalisation each.
///
/// Weights are slices of the supernet's merged variables, so the names' and the rows' documentation is under test too.
/// The space is counted out anew as well.
final class ReferenceSupernet {
    private let configuration: SupernetConfiguration
    private let state: [String: Tensor]
    private let mode: NormalizationMode
    /// Whether gradients end at the encoder's maps.
    private var isFrozen = false
    /// Running statistics that this pass moved: edges that share a map would move it once each.
    private var moved: Set<String> = []

    /// - Parameters:
    ///   - configuration: The supernet's shape.
    ///   - state: Its variables; running statistics are moved in training.
    ///   - mode: How to normalise.
    init(_ configuration: SupernetConfiguration, state: [String: Tensor], mode: NormalizationMode) {
        self.configuration = configuration
        self.state = state
        self.mode = mode
    }

    /// A supernet's pass, over copies of its running statistics.
    convenience init(copying supernet: Supernet, _ store: VariableStore, mode: NormalizationMode) {
        var state = store.state
        for buffer in store.buffers { state[buffer.name] = buffer.tensor.clone() }
        self.init(supernet.configuration, state: state, mode: mode)
        isFrozen = supernet.encoderTraining == .frozen
    }

    /// A variable, or the copy of a running statistic.
    func get(_ name: String) -> Tensor {
        guard let tensor = state[name] else { preconditionFailure("no variable \(name)") }
        return tensor
    }

    static func strides(_ layer: Int) -> [Int] { Array([4, 8, 16, 32].prefix(layer + 1)) }

    /// Target layer, source and target stride of every arrow, in beta's order.
    static func arrows(layers: Int) -> [(layer: Int, source: Int, target: Int)] {
        (1...layers).flatMap { layer in
            strides(layer).flatMap { target in
                strides(layer - 1).filter { [2 * $0, $0, $0 / 2].contains(target) }.map { (layer, $0, target) }
            }
        }
    }

    func callAsFunction(_ images: Tensor) -> Tensor {
        let (height, width) = (images.size(2), images.size(3))
        var maps = stem(images)
        let arrows = ReferenceSupernet.arrows(layers: configuration.layers)
        let beta = betaProbabilities(arrows)
        let alpha = get("architecture.alpha").exp()
        let probabilities = alpha / alpha.sum([1], keep: true)
        for (index, arrow) in arrows.enumerated() {
            let (layer, target) = (arrow.layer, arrow.target)
            let node = "layer\(layer).s\(target)"
            let from = "\(node).from\(arrow.source)"
            let size = [(height + target - 1) / target, (width + target - 1) / target]
            guard let first = maps[layer - 1]?[arrow.source] else { preconditionFailure("no map") }
            let h1 = enter(first, from + ".entry", factor: max(1, target / arrow.source), size: size)
            let shares = configuration.cells == .perNode
            let place = shares ? node : from
            var h2: Tensor
            if configuration.resizesPrevious {
                h2 =
                    origins(of: arrow, arrows, beta).map { stride, chance in
                        guard let second = maps[layer - 2]?[stride] else { preconditionFailure("no second map") }
                        let resized = interpolateBilinear(second, height: size[0], width: size[1])
                        return enter(resized, place + ".entry2.s\(stride)", factor: 1, size: size) * chance
                    }.reduce(nil) { (sum: Tensor?, map: Tensor) in sum.map { $0 + map } ?? map } ?? first
            } else {
                let strides = (maps[layer - 2] ?? [:]).keys
                guard let nearest = strides.filter({ $0 <= target }).max(), let second = maps[layer - 2]?[nearest]
                else { preconditionFailure("no second map") }
                h2 = enter(second, place + ".entry2", factor: target / nearest, size: size)
            }
            let group = shares ? arrows[..<index].count { $0.layer == layer && $0.target == target } : 0
            let skip = longSkip(layer, target, arrow.source, arrows, beta, maps)
            if let skip {
                h2 = h2 * (1 - skip.share) + enter(skip.map, from + ".longSkip", factor: 1, size: size) * skip.share
            }
            let output = cell(
                h1, h2, place + ".cell", group: group,
                secondGroup: configuration.resizesPrevious ? group : skip != nil && shares ? 1 : 0, probabilities)
            let residual = configuration.residual && layer > 1 && arrow.source == target
            let weighed = (residual ? output + first : output) * beta[index]
            let sum = maps[layer]?[target]
            maps[layer, default: [:]][target] = sum.map { $0 + weighed } ?? weighed
        }
        let last = ReferenceSupernet.strides(configuration.layers).map { stride -> Tensor in
            guard let map = maps[configuration.layers]?[stride] else { preconditionFailure("no map") }
            return head(map, stride: stride, height: height, width: width)
        }
        return last.dropFirst().reduce(last[0], +)
    }

    /// The maps of layers -1 and 0; an encoder always normalises by its own statistics.
    private func stem(_ images: Tensor) -> [Int: [Int: Tensor]] {
        if let kind = configuration.stem.encoder {
            let maps = ReferenceEncoder.first(of: kind, in: state, training: false)(images)
            let seen = isFrozen ? maps.map { $0.detach() } : maps
            return [-1: [2: unit(seen[0], "stem.adapter2")], 0: [4: unit(seen[1], "stem.adapter4")]]
        }
        let half = unit(unit(images, "stem.1", stride: 2), "stem.2")
        return [-1: [2: half], 0: [4: unit(half, "stem.3", stride: 2)]]
    }

    /// How likely a path that takes an arrow was at each stride two layers before: all paths are walked.
    private func origins(
        of arrow: (layer: Int, source: Int, target: Int), _ arrows: [(layer: Int, source: Int, target: Int)],
        _ beta: [Tensor]
    ) -> [(stride: Int, chance: Tensor)] {
        guard arrow.layer > 1 else { return [(2, Tensor.ones([1], dtype: .float64))] }
        var paths: [(strides: [Int], chance: Tensor)] = [([4], Tensor.ones([1], dtype: .float64))]
        for layer in 1..<arrow.layer {
            paths = paths.flatMap { path in
                arrows.indices.filter { arrows[$0].layer == layer && arrows[$0].source == path.strides.last }.map {
                    (path.strides + [arrows[$0].target], path.chance * beta[$0])
                }
            }
        }
        let arriving = paths.filter { $0.strides.last == arrow.source }
        let all = arriving.dropFirst().reduce(arriving[0].chance) { $0 + $1.chance }
        return Set(arriving.map { $0.strides[$0.strides.count - 2] }).sorted().map { stride in
            let own = arriving.filter { $0.strides[$0.strides.count - 2] == stride }
            return (stride, own.dropFirst().reduce(own[0].chance) { $0 + $1.chance } / all)
        }
    }

    /// Equations 7 and 8: a softmax over the arrows that leave one node.
    private func betaProbabilities(_ arrows: [(layer: Int, source: Int, target: Int)]) -> [Tensor] {
        let values = get("architecture.beta").exp()
        return arrows.indices.map { index in
            let leaving = arrows.indices.filter {
                arrows[$0].layer == arrows[index].layer && arrows[$0].source == arrows[index].source
            }
            let sum = leaving.dropFirst().reduce(values.select(0, leaving[0])) { $0 + values.select(0, $1) }
            return values.select(0, index) / sum
        }
    }

    /// ALGORITHM 11, over all paths: what an arrow's long skip weighs, and the sum of its sources; nil where it has none.
    private func longSkip(
        _ layer: Int, _ stride: Int, _ source: Int, _ arrows: [(layer: Int, source: Int, target: Int)],
        _ beta: [Tensor],
        _ maps: [Int: [Int: Tensor]]
    ) -> (share: Tensor, map: Tensor)? {
        guard configuration.longSkips, source == 2 * stride else { return nil }
        // Chances of the paths that are at the arrow's source, by the layer where each was last at its target's stride.
        var chances: [Int: Tensor] = [:]
        func walk(_ path: [Int], _ chance: Tensor?) {
            guard path.count < layer else {
                guard path.last == source, let last = path.lastIndex(of: stride), let chance else { return }
                chances[last] = chances[last].map { $0 + chance } ?? chance
                return
            }
            for (index, arrow) in arrows.enumerated() where arrow.layer == path.count && arrow.source == path.last {
                walk(path + [arrow.target], chance.map { $0 * beta[index] } ?? beta[index])
            }
        }
        walk([4], nil)
        let before = chances.keys.filter { $0 < layer - 2 }.sorted()
        guard !before.isEmpty else { return nil }
        func sum(_ keys: [Int]) -> Tensor {
            let terms = keys.compactMap { chances[$0] }
            return terms.dropFirst().reduce(terms[0], +)
        }
        let gates = arrows.filter { arrow in
            arrow.source == 2 * arrow.target
                && (0..<arrow.layer - 2).contains {
                    ReferenceSupernet.strides($0).contains(arrow.target)
                }
        }
        guard let gate = gates.firstIndex(where: { $0 == (layer, source, stride) }) else { return nil }
        let gamma = get("architecture.gamma").select(0, gate).exp()
        let open = gamma.select(0, 1) / gamma.sum()
        let terms = before.compactMap { key in
            maps[key]?[stride].map { map in (chances[key] ?? map) / sum(before) * map }
        }
        return (open * sum(before) / sum(chances.keys.sorted()), terms.dropFirst().reduce(terms[0], +))
    }

    /// Equations 1 to 4.
    private func cell(
        _ h1: Tensor, _ h2: Tensor, _ name: String, group: Int, secondGroup: Int, _ alpha: Tensor
    ) -> Tensor {
        let blocks = configuration.blocks
        var states = [h1, h2]
        var edge = 0
        for block in 1...blocks {
            var sum: Tensor?
            for input in 0...block {
                let stateName = ["previous", "previous2"] + (1...blocks).map { "block\($0)" }
                let reader = Edge(
                    name: "\(name).\(stateName[input])", rank: block - max(1, input), count: blocks + 1 - max(1, input),
                    group: input == 1 ? secondGroup : group)
                for op in Operator.allCases {
                    guard let map = operate(op, states[input], reader) else { continue }
                    let term = map * alpha.select(0, edge).select(0, op.index)
                    sum = sum.map { $0 + term } ?? term
                }
                edge += 1
            }
            guard let sum else { preconditionFailure("a block without inputs") }
            states.append(sum)
        }
        return concatenate(Array(states.dropFirst(2)), dim: 1)
    }

    /// One of the edges that leave a state.
    private struct Edge {
        var name: String
        /// Its number among them.
        var rank: Int
        /// How many they are.
        var count: Int
        /// Which of the arrows' statistics are its.
        var group: Int
    }

    /// The channels of an operator's normalised maps on all edges together; each edge has its own, or all share one.
    private func width(_ op: Operator, channels: Int, edges: Int) -> Int {
        switch op {
        case .separable3x3, .separable5x5, .atrous3x3, .atrous5x5: edges * channels
        case .averagePool3x3, .maxPool3x3: channels
        case .skip, .none: 0
        }
    }

    private func operate(_ op: Operator, _ x: Tensor, _ edge: Edge) -> Tensor? {
        let channels = x.size(1)
        let start = Operator.allCases.prefix { $0 != op }.reduce(0) {
            $0 + width($1, channels: channels, edges: edge.count)
        }
        let isShared = width(op, channels: channels, edges: 2) == channels
        let place = edge.name + "." + op.rawValue
        func last(_ y: Tensor) -> Tensor {
            norm(
                y, edge.name + ".norm", group: edge.group, start: start + (isShared ? 0 : edge.rank * channels))
        }
        func weight(_ name: String) -> Tensor {
            let all = get(place + "." + name)
            precondition(all.size(0) == edge.count * channels, "\(place).\(name): \(all.shape)")
            return all.narrow(0, start: edge.rank * channels, length: channels)
        }
        func separable(_ y: Tensor, _ name: String, dilation: Int = 1) -> Tensor {
            let depthwise = conv(y.relu(), weight(name + "depthwise"), dilation: dilation, groups: channels)
            return conv(depthwise, weight(name + "pointwise"))
        }
        switch op {
        case .separable3x3, .separable5x5:
            let first = norm(
                separable(x, "1."), place + ".norm", group: edge.group, start: edge.rank * channels)
            return last(separable(first, "2."))
        case .atrous3x3, .atrous5x5:
            if configuration.atrous == .separable { return last(separable(x, "", dilation: 2)) }
            return last(conv(x.relu(), weight("weight"), dilation: 2))
        case .averagePool3x3: return last(averagePool2d(x, kernelSize: 3))
        case .maxPool3x3: return last(maxPool2d(x, kernelSize: 3))
        case .skip: return x
        case .none: return nil
        }
    }

    private func enter(_ x: Tensor, _ name: String, factor: Int, size: [Int]) -> Tensor {
        let finer = x.size(2) < size[0] || x.size(3) < size[1]
        let map = finer ? interpolateBilinear(x, height: size[0], width: size[1]) : x
        let weight = get(name + ".conv.weight")
        precondition(weight.size(2) == (factor == 1 ? 1 : 3), "\(name): \(weight.shape)")
        let entered = norm(conv(map.relu(), weight, stride: factor), name + ".norm", group: 0)
        precondition(Array(entered.shape[2...]) == size, "\(name): \(entered.shape), not \(size)")
        return entered
    }

    private func head(_ x: Tensor, stride: Int, height: Int, width: Int) -> Tensor {
        let name = "head.s\(stride)"
        var image = conv(x.mean([2, 3], keep: true), get(name + ".aspp.image.conv.weight"))
        if configuration.normalizesImagePooling { image = norm(image, name + ".aspp.image.norm") }
        let rate = 96 / stride
        let atrous =
            configuration.separableHeads
            ? unit(unit(x, name + ".aspp.atrous1.depthwise", dilation: rate), name + ".aspp.atrous1.pointwise")
            : unit(x, name + ".aspp.atrous1", dilation: rate)
        let branches = [
            unit(x, name + ".aspp.point"), atrous,
            image.relu().expand([-1, -1, x.size(2), x.size(3)]),
        ]
        let joined = unit(concatenate(branches, dim: 1), name + ".aspp.projection")
        let scores = conv(joined, get(name + ".classes.weight")) + get(name + ".classes.bias").reshape([1, -1, 1, 1])
        return interpolateBilinear(scores, height: height, width: width)
    }

    private func unit(_ x: Tensor, _ name: String, stride: Int = 1, dilation: Int = 1) -> Tensor {
        let weight = get(name + ".conv.weight")
        let groups = x.size(1) / weight.size(1)
        return norm(conv(x, weight, stride: stride, dilation: dilation, groups: groups), name + ".norm").relu()
    }

    private func conv(_ x: Tensor, _ weight: Tensor, stride: Int = 1, dilation: Int = 1, groups: Int = 1) -> Tensor {
        conv2d(
            x, weight: weight, stride: stride, padding: dilation * (weight.size(2) - 1) / 2, dilation: dilation,
            groups: groups)
    }

    /// - Parameters:
    ///   - x: The map of one arrow.
    ///   - name: Where the statistics are.
    ///   - group: Their row, nil where they are vectors.
    ///   - start: Their first column.
    /// - Returns: The map, normalised.
    private func norm(_ x: Tensor, _ name: String, group: Int? = nil, start: Int = 0) -> Tensor {
        func statistic(_ part: String) -> Tensor {
            let all = get(name + "." + part).detach()
            return (group.map { all.select(0, $0) } ?? all).narrow(0, start: start, length: x.size(1))
        }
        let byBatch = mode != .evaluation && x.size(0) * x.size(2) * x.size(3) > 1
        let moves = byBatch && mode == .training && moved.insert("\(name) \(group ?? 0) \(start)").inserted
        let uses = moves || !byBatch
        return batchNorm(
            x, runningMean: uses ? statistic("runningMean") : nil,
            runningVariance: uses ? statistic("runningVariance") : nil, training: byBatch,
            momentum: configuration.normalization.momentum, eps: configuration.normalization.eps)
    }
}
