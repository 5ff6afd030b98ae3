import Networks
import SearchSpace
import Torch

/// ALGORITHM 8 written down once more, plainly: nothing is shared, strides are computed at full size and thinned out,
/// resizing is a product with a matrix, pools and batch normalisation are sums.
///
/// Weights are read by name, so the names' documentation is under test too.
struct ReferenceDiscreteNetwork {
    var genotype: Genotype
    var configuration: DiscreteConfiguration
    var weights: [String: Tensor]
    var training: Bool
    /// Whether an encoder in the stem normalises by the batch; nil as the rest does.
    var encoderTraining: Bool?
    /// Drop path's factors of a cell, counted from 0.
    var masks: (Int) -> [Tensor] = { _ in [] }

    private var head: Double { configuration.headEpsilon }
    private var backbone: Double { configuration.backboneEpsilon }

    func callAsFunction(_ images: Tensor) -> Tensor {
        let (height, width) = (images.size(2), images.size(3))
        func at(_ stride: Int, _ x: Tensor) -> Tensor {
            resize(x, (height + stride - 1) / stride, (width + stride - 1) / stride)
        }
        let (stem2, stem3) = stem(images)
        var (before, last) = (stem2, stem3)
        var lowLevel = stem3
        var (stride, left) = (4, false)
        var maps = [stem3]
        for (index, target) in genotype.path.enumerated() {
            let down = target.rawValue > stride
            let entry = down ? stride : target.rawValue
            // A long skip's map in place of H^{l-2}, at its own size.
            let second = genotype.skips[index].map { maps[$0] } ?? at(entry, before)
            var output = cell(
                index, at(entry, last), second, channels: configuration.filters * target.rawValue / 4,
                down: down)
            if configuration.residual, index > 0, genotype.path[index - 1] == target { output = output + last }
            stride = target.rawValue
            (before, last) = (last, output)
            maps.append(output)
            left = left || stride != 4
            if !left { lowLevel = output }
        }
        func classes(_ x: Tensor) -> Tensor {
            let scores = conv(x, "decoder.logits") + get("decoder.logits.bias").reshape([1, -1, 1, 1])
            return resize(scores, height, width)
        }
        guard configuration.head != .plain else { return classes(last.relu()) }
        let context = aspp(last.relu(), rate: 96 / stride)
        let low = norm(conv(lowLevel, "decoder.lowLevel.conv"), "decoder.lowLevel.norm", head).relu()
        var x = concatenate([resize(context, low.size(2), low.size(3)), low], dim: 1)
        for name in ["decoder.refine1", "decoder.refine2"] {
            x = threeByThree(x, name)
        }
        for (finer, map) in [(2, stem2), (1, images)] where finer >= configuration.decoderStride {
            let name = "decoder.finer\(finer)"
            let coarse = norm(conv(x, name + ".projection.conv"), name + ".projection.norm", head).relu()
            let fine = norm(conv(map, name + ".lowLevel.conv"), name + ".lowLevel.norm", head).relu()
            x = threeByThree(concatenate([at(finer, coarse), fine], dim: 1), name + ".refine")
        }
        return classes(x)
    }

    /// The first H^{l-2} and the first H^{l-1}.
    private func stem(_ images: Tensor) -> (Tensor, Tensor) {
        if let kind = genotype.stem.encoder {
            let seen = ReferenceEncoder.first(of: kind, in: weights, training: encoderTraining ?? training)(images)
            func adapter(_ x: Tensor, _ name: String) -> Tensor {
                norm(conv(x, name + ".conv"), name + ".norm", backbone)
            }
            return (adapter(seen[0], "stem.adapter2"), adapter(seen[1], "stem.adapter4"))
        }
        let stem1 = norm(conv(images, "stem.1.conv", stride: 2), "stem.1.norm", backbone).relu()
        let stem2 = norm(conv(stem1, "stem.2.conv"), "stem.2.norm", backbone)
        return (stem2, norm(conv(stem2.relu(), "stem.3.conv", stride: 2), "stem.3.norm", backbone))
    }

    /// A 3x3 convolution of the head in the form that the configuration asks for.
    private func threeByThree(_ x: Tensor, _ name: String, dilation: Int = 1) -> Tensor {
        guard configuration.head == .separable else {
            return norm(conv(x, name + ".conv", dilation: dilation), name + ".norm", head).relu()
        }
        let deep = conv(x, name + ".depthwise.conv", dilation: dilation)
        let between = norm(deep, name + ".depthwise.norm", head).relu()
        return norm(conv(between, name + ".pointwise.conv"), name + ".pointwise.norm", head).relu()
    }

    private func aspp(_ x: Tensor, rate: Int) -> Tensor {
        func unit(_ x: Tensor, _ name: String) -> Tensor {
            norm(conv(x, "aspp.\(name).conv"), "aspp.\(name).norm", head).relu()
        }
        let image = unit(x.mean([2, 3], keep: true), "image")
        let branches =
            [unit(x, "point")] + (1...3).map { threeByThree(x, "aspp.atrous\($0)", dilation: $0 * rate) } + [
                image.expand([-1, -1, x.size(2), x.size(3)])
            ]
        return unit(concatenate(branches, dim: 1), "projection")
    }

    private func cell(_ index: Int, _ previous: Tensor, _ previous2: Tensor, channels: Int, down: Bool) -> Tensor {
        let name = "cells.\(index + 1)"
        func project(_ x: Tensor, _ part: String) -> Tensor {
            norm(conv(x.relu(), "\(name).\(part).pointwise"), "\(name).\(part).norm", backbone)
        }
        var states = [
            project(previous, "previous"),
            previous2.size(1) == channels ? previous2 : project(previous2, "previous2"),
        ]
        var masks = self.masks(index)[...]
        for (number, block) in genotype.cell.blocks.enumerated() {
            let terms = zip(["first", "second"], block.branches).map { side, branch in
                let strides = down && branch.input.index < 2
                let term = operate(
                    states[branch.input.index], branch.op, "\(name).block\(number + 1).\(side)",
                    stride: strides ? 2 : 1)
                guard branch.op != .skip, branch.op != .none, let mask = masks.popFirst() else { return term }
                return term * mask
            }
            states.append(terms[0] + terms[1])
        }
        return concatenate(Array(states.dropFirst(2)), dim: 1)
    }

    func operate(_ x: Tensor, _ op: Operator, _ name: String, stride: Int) -> Tensor {
        func unit(_ y: Tensor, _ parts: [String], stride: Int = 1, dilation: Int = 1) -> Tensor {
            var y = y.relu()
            for (index, part) in parts.enumerated() {
                y = conv(y, name + "." + part, stride: index == 0 ? stride : 1, dilation: index == 0 ? dilation : 1)
            }
            let unit = parts[0].prefix { $0 != "." }
            return norm(y, "\(name).\(unit).norm", backbone)
        }
        switch op {
        case .separable3x3, .separable5x5:
            let first = unit(x, ["1.depthwise", "1.pointwise"], stride: stride)
            return unit(first, ["2.depthwise", "2.pointwise"])
        case .atrous3x3, .atrous5x5:
            let parts = genotype.atrous == .dense ? ["1.dense"] : ["1.depthwise", "1.pointwise"]
            guard stride == 2 else { return unit(x, parts, dilation: 2) }
            return unit(resize(x.relu(), (x.size(2) + 1) / 2, (x.size(3) + 1) / 2), parts)
        case .averagePool3x3:
            let ones = Tensor.ones(x.shape, dtype: x.dtype)
            let total = windows(x, outside: 0).reduce(Tensor.zeros(x.shape, dtype: x.dtype), +)
            return thin(total / windows(ones, outside: 0).reduce(Tensor.zeros(x.shape, dtype: x.dtype), +), stride)
        case .maxPool3x3:
            return thin(windows(x, outside: -1e30).reduce(x) { $0.maximum($1) }, stride)
        case .skip: return stride == 1 ? x : unit(x, ["1.pointwise"], stride: 2)
        case .none:
            let thinned = thin(x, stride)
            return Tensor.zeros(thinned.shape, dtype: x.dtype)
        }
    }

    private func get(_ name: String) -> Tensor {
        guard let tensor = weights[name] else { preconditionFailure("no variable \(name)") }
        return tensor
    }

    private func conv(_ x: Tensor, _ name: String, stride: Int = 1, dilation: Int = 1) -> Tensor {
        let weight = get(name + ".weight")
        let padding = dilation * (weight.size(2) - 1) / 2
        let full = conv2d(x, weight: weight, padding: padding, dilation: dilation, groups: x.size(1) / weight.size(1))
        return thin(full, stride)
    }

    /// Every `stride`-th row and column, from the first on.
    private func thin(_ x: Tensor, _ stride: Int) -> Tensor {
        guard stride > 1 else { return x }
        let rows = Array(Swift.stride(from: 0, to: x.size(2), by: stride))
        let columns = Array(Swift.stride(from: 0, to: x.size(3), by: stride))
        return x.indexSelect(2, rows).indexSelect(3, columns)
    }

    /// The nine shifts of a map that a 3x3 window sees.
    private func windows(_ x: Tensor, outside: Double) -> [Tensor] {
        let padded = x.pad([1, 1, 1, 1], value: outside)
        return (0..<9).map {
            padded.narrow(2, start: $0 / 3, length: x.size(2)).narrow(3, start: $0 % 3, length: x.size(3))
        }
    }

    private func norm(_ x: Tensor, _ name: String, _ epsilon: Double) -> Tensor {
        func spread(_ x: Tensor) -> Tensor { x.reshape([1, -1, 1, 1]) }
        var mean = spread(get(name + ".runningMean"))
        var variance = spread(get(name + ".runningVariance"))
        if training && x.size(0) * x.size(2) * x.size(3) > 1 {
            mean = x.mean([0, 2, 3], keep: true)
            variance = (x - mean).pow(2).mean([0, 2, 3], keep: true)
        }
        return (x - mean) / (variance + epsilon).sqrt() * spread(get(name + ".weight")) + spread(get(name + ".bias"))
    }

    /// Bilinear resizing with aligned corners as a product with a matrix from either side.
    private func resize(_ x: Tensor, _ height: Int, _ width: Int) -> Tensor {
        func matrix(_ from: Int, _ to: Int) -> Tensor {
            var values = [Double](repeating: 0, count: from * to)
            for row in 0..<to {
                let position = to > 1 ? Double(row) * Double(from - 1) / Double(to - 1) : 0
                let lower = min(Int(position), from - 1)
                let share = position - Double(lower)
                values[row * from + lower] += 1 - share
                if share > 0 { values[row * from + min(lower + 1, from - 1)] += share }
            }
            return Tensor(values, shape: [to, from]).to(x.dtype)
        }
        if x.size(2) == height && x.size(3) == width { return x }
        return matrix(x.size(2), height).matmul(x).matmul(matrix(x.size(3), width).transpose(0, 1))
    }
}
