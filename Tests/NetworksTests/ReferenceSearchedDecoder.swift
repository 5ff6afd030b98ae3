import SearchSpace
import Torch

/// A searched decoder written down once more, plainly: every map is computed, and everything is found by its name.
struct ReferenceSearchedDecoder {
    let state: [String: Tensor]
    let genotype: DecoderGenotype
    let repeats: Int
    let training: Bool

    /// Kernel and rate of the operations that convolve, by their published numbers.
    private static let kernels = [
        0: (1, 1), 1: (3, 1), 2: (3, 1), 3: (5, 1), 4: (1, 1), 5: (3, 3), 6: (3, 12), 7: (3, 3), 8: (5, 6),
    ]

    /// Class scores of the encoder's maps at strides 4, 8, 16 and 32, at the decoder's own size.
    func callAsFunction(_ features: [Tensor]) -> Tensor {
        var pool = features.enumerated().map { unit($1, "decoder.adapter\(4 << $0)") }
        for (index, block) in genotype.blocks.enumerated() {
            let place = "decoder.block\(index + 1)"
            let first = side(pool[block.first], place + ".first")
            let second = side(pool[block.second], place + ".second")
            let size = [max(first.size(2), second.size(2)), max(first.size(3), second.size(3))]
            pool.append(resized(first, size) + resized(second, size))
        }
        var picked = [Bool](repeating: false, count: 7)
        for block in genotype.blocks {
            picked[block.first] = true
            picked[block.second] = true
        }
        let loose = (4...6).filter { !picked[$0] }.map { pool[$0] }
        let size = [loose.map { $0.size(2) }.max() ?? 0, loose.map { $0.size(3) }.max() ?? 0]
        let joined = concatenate(loose.map { resized($0, size) }, dim: 1).relu()
        return conv2d(
            unit(joined, "decoder.output"), weight: get("decoder.logits.weight"), bias: get("decoder.logits.bias"),
            padding: 1)
    }

    /// The cell with the variables at a place.
    func cell(_ x: Tensor, _ place: String) -> Tensor {
        var positions: [Int: Tensor] = [0: x, 1: operation(genotype.cell.first, x, place + ".node0")]
        var isRead = [Int: Bool]()
        for (index, node) in genotype.cell.nodes.enumerated() {
            let number = index + 1
            let inputs = [node.first.position, node.second.position].map {
                positions[$0] ?? { preconditionFailure("a position that is not there") }()
            }
            let first = operation(node.first.operation, inputs[0], "\(place).node\(number).first")
            let second = operation(node.second.operation, inputs[1], "\(place).node\(number).second")
            positions[3 * number - 1] = first
            positions[3 * number] = second
            positions[3 * number + 1] = first + second
            isRead[node.first.position] = true
            isRead[node.second.position] = true
        }
        var sum = x * 0
        for position in [1, 4, 7, 10] where isRead[position] != true {
            if let map = positions[position] { sum = sum + map }
        }
        return sum
    }

    private func side(_ x: Tensor, _ place: String) -> Tensor { unit(cell(x, place), place + ".projection") }

    private func operation(_ operation: DecoderOperation, _ x: Tensor, _ place: String) -> Tensor {
        switch operation.index {
        case 0, 1, 5, 6: return unit(x, place, operation.index)
        case 4:
            let pixel = unit(x.mean([2, 3], keep: true), place)
            return pixel.expand([-1, -1, x.size(2), x.size(3)])
        case 9: return x
        case 10: return x * 0
        default:
            let (kernel, rate) = Self.kernels[operation.index] ?? (0, 0)
            return (1...repeats).reduce(x) { x, number in
                let depthwise = conv2d(
                    x, weight: get("\(place).pair\(number).depthwise.weight"), padding: rate * (kernel - 1) / 2,
                    dilation: rate, groups: x.size(1))
                return unit(depthwise, "\(place).pair\(number)")
            }
        }
    }

    /// Convolution, batch normalisation, ReLU.
    private func unit(_ x: Tensor, _ place: String, _ number: Int = 0) -> Tensor {
        let (kernel, rate) = Self.kernels[number] ?? (1, 1)
        let y = conv2d(
            x, weight: get(place + ".conv.weight"), padding: rate * (kernel - 1) / 2, dilation: rate)
        func vector(_ part: String) -> Tensor { get("\(place).norm.\(part)").reshape([1, -1, 1, 1]) }
        let isSingle = y.size(0) * y.size(2) * y.size(3) == 1
        let byBatch = training && !isSingle
        let mean = byBatch ? y.mean([0, 2, 3], keep: true) : vector("runningMean")
        let variance =
            byBatch ? ((y - mean) * (y - mean)).mean([0, 2, 3], keep: true) : vector("runningVariance")
        return ((y - mean) / (variance + 1e-5).sqrt() * vector("weight") + vector("bias")).relu()
    }

    private func resized(_ x: Tensor, _ size: [Int]) -> Tensor {
        interpolateBilinear(x, height: size[0], width: size[1], alignCorners: false)
    }

    private func get(_ name: String) -> Tensor { state[name] ?? { preconditionFailure("no \(name)") }() }
}
