import Images
import Inference
import Networks
import SearchSpace
import Torch

// A model of one's own, its weights random, segments an image.
var configuration = DiscreteConfiguration(filters: 2, classes: 3)
configuration.asppChannels = 8
configuration.decoderChannels = 8
let model = Model(
    ModelDescription(try KnownDesign.deeplabv3.genotype(layers: 3), configuration), generator: Generator(seed: 0))
let mask = model.segment(Image(width: 70, height: 50, color: Color(200, 40, 40)))
precondition(mask.width == 70 && mask.height == 50 && mask.labels.allSatisfy { $0 < 3 })
print("Inference: a mask of \(mask.width) x \(mask.height)")
