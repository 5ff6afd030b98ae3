import SearchSpace
import Torch

extension Supernet {
    /// The supernet's logits under the weights that say one network alone, without what weighs 0: some
    /// hundredth of the work.
    ///
    /// Where the network reads a map that its path does not come by, the supernet has zeros, and so has this.
    ///
    /// - Parameters:
    ///   - images: `[N, channels, H, W]`, normalised; colours within ±1.
    ///   - genotype: A network of as many layers and blocks.
    ///   - mode: `evaluation`, or `batchStatistics`, since running statistics are those of all networks together.
    /// - Returns: Logits `[N, classes, H, W]`.
    public func callAsFunction(_ images: Tensor, only genotype: Genotype, mode: NormalizationMode) -> Tensor {
        precondition(
            genotype.layers == configuration.layers && genotype.blocks == configuration.blocks
                && [.evaluation, .batchStatistics].contains(mode),
            "\(genotype.layers) layers of \(genotype.blocks) blocks, \(mode)")
        let size = MapSize(of: images)
        func zeros(_ stride: Int, _ size: MapSize) -> Tensor {
            Tensor.zeros(
                [images.size(0), configuration.mapChannels(stride: stride), size.height, size.width],
                dtype: images.dtype, device: images.device
            ).channelsLast()
        }
        let (half, quarter) = stem(images.channelsLast(), mode: mode, training: encoderTraining)
        var (second, last) = ((stride: 2, map: half), (stride: 4, map: quarter))
        var passed = [quarter]
        for arrow in networkSpace.arrows(along: genotype.path) {
            let node = node(arrow.target)
            let stride = configuration.resizesPrevious ? second.stride : node.seconds[0]
            let own = size.at(stride: arrow.target.stride.rawValue)
            let map = node(
                only: genotype.cell, along: arrow, h1: last.map,
                h2: stride == second.stride ? second.map : zeros(stride, size.at(stride: stride)), stride: stride,
                skipped: genotype.skips[arrow.target.layer - 1].map { passed[$0] }, size: (own.height, own.width),
                mode: mode)
            passed.append(map)
            (second, last) = (last, (arrow.target.stride.rawValue, map))
        }
        let scores = headStrides.map { stride -> Tensor in
            let isLast = stride == last.stride
            let whole = size.at(stride: stride)
            // All values of zeros' scores are equal, so that a few tell them.
            let few = MapSize(height: min(2, whole.height), width: min(2, whole.width))
            return head(
                stride, isLast ? last.map : zeros(stride, few), height: size.height, width: size.width, mode: mode)
        }
        return scores.dropFirst().reduce(scores[0]) { $0 + $1 }
    }
}
