import SearchSpace
import Torch

/// A network that gives every pixel of an image a class: what is trained, measured, exported and used.
public enum SegmentationNetwork {
    /// The network of a genotype.
    case discrete(DiscreteNetwork)
    /// An encoder and a decoder.
    case encoded(EncodedNetwork)

    /// What it was built from.
    public var description: NetworkDescription {
        switch self {
        case .discrete(let network): .discrete(network.layout.genotype, network.configuration)
        case .encoded(let network): .encoded(network.configuration)
        }
    }

    /// The network's variables.
    public var store: VariableStore {
        switch self {
        case .discrete(let network): network.store
        case .encoded(let network): network.store
        }
    }

    /// The encoder that it begins with, the whole of one or its first blocks; nil for the paper's stem.
    public var encoder: ImageEncoder? {
        switch self {
        case .discrete(let network): network.encoder
        case .encoded(let network): network.encoder
        }
    }

    /// The names of the variables whose shapes follow from the classes.
    public static let classLayer = ["decoder.logits.weight", "decoder.logits.bias"]

    /// Folds batch normalisations into the convolutions before them, for passes in evaluation that follow.
    ///
    /// The variables stay as they are, for other modes too; after a change of theirs, fold anew.
    public func fold() {
        switch self {
        case .discrete(let network): network.fold()
        case .encoded(let network): network.fold()
        }
    }

    /// Class scores `[N, classes, H, W]` of normalised images `[N, channels, H, W]`, colours by 2x / 255 - 1.
    ///
    /// - Parameters:
    ///   - images: The images, of any size from 33 pixels on.
    ///   - mode: How batch normalisation behaves.
    ///   - regularization: Drop path and dropout in a training step; nil for none.
    ///   - training: What the pass does with an encoder, where it is not one of evaluation.
    /// - Returns: The scores at the images' size, before any softmax.
    public func callAsFunction(
        _ images: Tensor, mode: NormalizationMode, regularization: Regularization? = nil,
        training: EncoderTraining = .whole
    ) -> Tensor {
        switch self {
        case .discrete(let network): network(images, mode: mode, regularization: regularization, training: training)
        case .encoded(let network): network(images, mode: mode, regularization: regularization, training: training)
        }
    }

    /// Class scores in evaluation, `[N, classes, ceil(H / s), ceil(W / s)]`, s = `description.scoreStride`.
    ///
    /// Resized bilinearly, with aligned corners, they are the scores that the network gives. Where classes are many,
    /// these need far less memory.
    public func coarseScores(_ images: Tensor) -> Tensor {
        switch self {
        case .discrete(let network): network.coarseScores(images)
        case .encoded(let network): network.coarseScores(images)
        }
    }

    /// The same scores, on any backend.
    func coarseScores<Backend: ForwardBackend>(of images: Backend.Map, on backend: Backend) -> Backend.Map {
        switch self {
        case .discrete(let network): network.coarseScores(of: images, on: backend)
        case .encoded(let network): network.coarseScores(of: images, on: backend)
        }
    }

    /// Class scores at the images' size, on any backend.
    package func scores<Backend: ForwardBackend>(of images: Backend.Map, on backend: Backend) -> Backend.Map {
        switch self {
        case .discrete(let network): network.scores(of: images, on: backend)
        case .encoded(let network): network.scores(of: images, on: backend)
        }
    }
}
