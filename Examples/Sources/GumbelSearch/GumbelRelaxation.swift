import ArchitectureSearch
import Networks
import Torch

/// Gumbel-softmax (arXiv 1611.01144): each pass draws its architecture.
///
/// At first the draw is soft, in the end it is nearly one operator an edge; the paper's softmax always takes the mean of
/// all.
struct GumbelRelaxation: Relaxation {
    private let alpha: Tensor
    private let beta: Tensor
    private let softmax: ArchitectureSoftmax
    /// From the first step to the last.
    private let temperatures = (first: 5.0, last: 0.5)

    init(_ path: Path, _ configuration: SupernetConfiguration) {
        alpha = path.parameter("alpha", shape: configuration.operatorShape, initializer: .zeros, kind: .architecture)
        beta = path.parameter("beta", shape: configuration.arrowShape, initializer: .zeros, kind: .architecture)
        softmax = ArchitectureSoftmax(configuration, device: beta.device)
    }

    func weights(at step: SearchStep) -> ArchitectureWeights {
        let progress = Double(step.index) / Double(max(1, step.total - 1))
        let temperature = temperatures.first + (temperatures.last - temperatures.first) * progress
        let generator = Generator(seed: step.noiseSeed)
        func drawn(_ logits: Tensor) -> Tensor {
            let uniform = Tensor.uniform(logits.shape, from: 1e-6, to: 1 - 1e-6, generator: generator)
            let noise = (uniform.log() * -1).log() * -1
            return (logits + noise.to(logits.dtype).to(logits.device)) / temperature
        }
        return softmax(operators: drawn(alpha), arrows: drawn(beta))
    }

    /// Without noise, at temperature 1.
    var weights: ArchitectureWeights { softmax(operators: alpha, arrows: beta) }
}
