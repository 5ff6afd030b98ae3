import ArchitectureSearch
import Networks
import SearchSpace
import Torch

/// A supernet with the softmaxes of alpha and beta, and their store.
struct BuiltSupernet {
    let network: Supernet
    let relaxation: SoftmaxRelaxation
    let store: VariableStore
}

extension SupernetConfiguration {
    /// A network of a few thousand parameters.
    static func tiny(
        layers: Int = 3, blocks: Int = 2, filters: Int = 2, cells: CellSharing = .perNode,
        atrous: AtrousKind = .dense, classes: Int = 3
    ) -> SupernetConfiguration {
        var configuration = SupernetConfiguration(classes: classes)
        configuration.layers = layers
        configuration.blocks = blocks
        configuration.filters = filters
        configuration.cells = cells
        configuration.atrous = atrous
        return configuration
    }
}

/// A supernet whose alpha and beta spread over several units, so that every weight in a sum counts, and whose running
/// statistics are anything.
func supernet(_ configuration: SupernetConfiguration, seed: UInt64 = 1, dtype: DType = .float64) -> BuiltSupernet {
    let store = VariableStore(generator: Generator(seed: seed), dtype: dtype)
    let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
    let network = Supernet(configuration, store: store)
    let generator = Generator(seed: seed + 100)
    withoutGradients {
        for tensor in store.architecture.map(\.tensor) {
            tensor.copy(from: .normal(tensor.shape, generator: generator, dtype: dtype))
        }
        for variable in store.parameters where variable.kind == .bias {
            variable.tensor.copy(from: .normal(variable.tensor.shape, generator: generator, dtype: dtype))
        }
        for buffer in store.buffers {
            let low = buffer.name.hasSuffix("runningVariance") ? 0.5 : -0.5
            buffer.tensor.copy(
                from: .uniform(buffer.tensor.shape, from: low, to: low + 1, generator: generator, dtype: dtype))
        }
    }
    return BuiltSupernet(network: network, relaxation: relaxation, store: store)
}

/// The largest magnitude; infinite where something is not finite.
func peak(_ tensor: Tensor) -> Double {
    let values = tensor.doubles()
    guard values.allSatisfy(\.isFinite) else { return .infinity }
    return values.map(\.magnitude).max() ?? 0
}

extension BuiltSupernet {
    /// Logits.
    func callAsFunction(_ x: Tensor, mode: NormalizationMode) -> Tensor {
        network(x, weights: relaxation.weights, mode: mode)
    }

    /// Alpha's and beta's probabilities as plain numbers.
    var table: ArchitectureTable { relaxation.weights.table }

    /// Logits, and the gradients of all parameters under a fixed random direction.
    func pass(_ x: Tensor, mode: NormalizationMode) -> (logits: Tensor, gradients: [Tensor?]) {
        differentiated(self(x, mode: mode))
    }

    /// The same of any logits that depend on the store.
    func differentiated(_ logits: Tensor) -> (logits: Tensor, gradients: [Tensor?]) {
        let probe = Tensor.normal(logits.shape, generator: Generator(seed: 5), dtype: logits.dtype)
        return (
            logits.detach(),
            gradients(of: (logits * probe).sum(), withRespectTo: store.parameters.map(\.tensor))
        )
    }
}
