import Configurations
import Networks
import SearchSpace
import Torch

extension SearchConfiguration {
    /// The optimizer of the supernet's weights, before its first step.
    func optimizer(of store: VariableStore) -> any Optimizer {
        let groups = weightGroups(of: store)
        return switch weights.optimizer {
        case .sgd: SGD(groups: groups, momentum: weights.momentum)
        case .adamw: AdamW(groups: groups)
        }
    }

    /// What is trained of the supernet's weights: all but an encoder that stays as it comes.
    func weightGroups(of store: VariableStore) -> [ParameterGroup] {
        let (weights, encoder) = (store.weights.withoutEncoder, store.weights.ofEncoder)
        let own = ParameterGroup(parameters: weights, weightDecay: self.weights.weightDecay)
        guard encoderLearningRate > 0, !encoder.isEmpty else { return [own] }
        return [
            own,
            ParameterGroup(
                parameters: encoder, weightDecay: self.weights.weightDecay, rateFactor: encoderLearningRate),
        ]
    }

    /// The supernet that is searched.
    ///
    /// - Parameters:
    ///   - classes: The number of classes.
    ///   - channels: Channels of the images.
    /// - Returns: Its sizes.
    package func supernet(classes: Int, channels: Int = 3) -> SupernetConfiguration {
        var result = SupernetConfiguration(classes: classes)
        result.imageChannels = channels
        result.layers = layers
        result.blocks = blocks
        result.filters = filters
        result.cells = cells
        result.resizesPrevious = resizePrevious
        result.residual = residual
        result.stem = stem
        result.atrous = atrous
        result.longSkips = longSkips == .on
        result.separableHeads = separableHeads
        result.normalizesImagePooling = poolingBatchNorm
        result.normalization = Normalization(affine: false, eps: batchNorm.eps, momentum: batchNorm.momentum)
        return result
    }
}

extension SearchWeightsConfiguration {
    /// The learning rate until the selection of a cell, and in it: it begins anew at a tenth (DARTS-PT).
    ///
    /// - Parameters:
    ///   - steps: Steps of the search.
    ///   - more: Steps of the selection; 0 where there is none.
    /// - Returns: The two.
    func schedules(steps: Int, more: Int) -> (search: Schedule, selection: Schedule) {
        let restart = learningRate / 10
        return (
            Schedule(base: learningRate, total: steps, shape: .cosine(final: finalLearningRate)),
            Schedule(base: restart, total: more, shape: .cosine(final: min(finalLearningRate, restart)))
        )
    }
}
