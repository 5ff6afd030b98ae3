import ArchitectureSearch
import Networks
import SearchSpace
import Torch

// A supernet of random weights, and what is decoded from its architecture.
var configuration = SupernetConfiguration(classes: 3)
configuration.layers = 3
configuration.blocks = 1
configuration.filters = 2
let store = VariableStore(generator: Generator(seed: 0))
let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
let supernet = Supernet(configuration, store: store)
let scores = supernet(.zeros([1, 3, 33, 33]), weights: relaxation.weights, mode: .evaluation)
precondition(scores.shape == [1, 3, 33, 33], "\(scores.shape)")
let genotype = ViterbiDecoder().decode(relaxation.weights.table, of: configuration)
try genotype.validate()
precondition(genotype.layers == 3)
print("AutoDeepLab: a genotype of \(genotype.layers) layers")
