import Networks
import SearchSpace
import Torch

var configuration = DiscreteConfiguration(filters: 2, classes: 3)
configuration.asppChannels = 8
configuration.decoderChannels = 8
let network = DiscreteNetwork(
    try KnownDesign.deeplabv3.genotype(layers: 3), configuration, store: VariableStore(generator: Generator(seed: 0)))
let scores = withoutGradients { network(.zeros([1, 3, 65, 49]), mode: .evaluation) }
precondition(scores.shape == [1, 3, 65, 49], "\(scores.shape)")
print("Networks: scores of \(scores.shape)")
