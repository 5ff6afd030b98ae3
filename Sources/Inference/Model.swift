import Datasets
import Foundation
import Images
import Networks
import SearchSpace
import Torch

/// A trained network with all that it takes to use it alone: genotype, widths, classes, palette.
///
/// One model can be shared among tasks and threads, which then compute side by side; see docs/SERVING.md.
///
/// `@unchecked Sendable` by this invariant: once it is made, nothing that a model offers to the public changes it.
/// Its tensors are read alone, what a pass computes belongs to that pass, and libtorch's operations may run on several
/// threads at once. A training, which changes the network, makes a model of its own and shares it with nobody; who
/// changes variables by way of ``network`` must be the model's only user, too.
public final class Model: @unchecked Sendable {
    /// The network.
    public let network: SegmentationNetwork
    /// Names and colours of the classes.
    public let classes: ClassTable
    /// The size at which the network sees images.
    public let scaling: ImageScaling
    /// What the values in the masks that it learnt from meant; nil where its file does not say.
    public let masks: MaskMeaning?
    /// What became black and white in the images of more than 8 bits that it learnt from; nil where there were none, or
    /// where its file does not say: then their upper 8 bits are taken.
    public package(set) var range: ValueRange?
    /// What becomes of images' bytes before the network sees them; it has a mean for each of their channels.
    public package(set) var normalization = ChannelNormalization.color
    /// The channels of images that pictures show, as red, green and blue, or as grey; none for the first three.
    public package(set) var shownChannels: [Int] = []
    /// Between what values results lie, by which it computes with integers of 8 bits where the processor can; nil for real
    /// numbers.
    public private(set) var quantization: Quantization?
    private var byteNetwork: ByteNetwork?
    /// Where it computes.
    public let device: Device

    /// The architecture that it was built from; nil for an encoder with a decoder.
    public var genotype: Genotype? { network.description.genotype }

    /// A new network, its weights drawn from `generator`.
    package init(
        _ description: NetworkDescription, classes: ClassTable, scaling: ImageScaling, masks: MaskMeaning?,
        generator: Generator, device: Device
    ) {
        self.classes = classes
        self.scaling = scaling
        self.masks = masks
        self.device = device
        network = description.network(store: VariableStore(generator: generator, device: device))
    }

    /// A network of this description, its weights drawn from `generator`: it is as fast as a trained one.
    public convenience init(_ description: ModelDescription, generator: Generator, device: Device = .cpu) {
        self.init(
            description.network, classes: description.classes, scaling: description.scaling,
            masks: description.masks, generator: generator, device: device)
        range = description.range
        normalization = description.normalization
        shownChannels = description.shownChannels
        network.fold()
    }

    /// Reads a model file, or that of a run folder.
    ///
    /// - Parameters:
    ///   - argument: The file or the folder.
    ///   - device: Where to compute; looked for where there is a file.
    /// - Throws: One line about a file that is missing, damaged or no model.
    public convenience init(at argument: String, device: @autoclosure () throws -> Device = .cpu) throws {
        let path = try ModelDescription.path(of: argument)
        let device = try device()
        let (tensors, metadata) = try loadTensors(path)
        let description = try ModelDescription(metadata, path: path)
        // Before anything is built: a file of a few bytes must not ask for a network of many.
        let parameters = description.network.cost(height: 33, width: 33).parameters
        let stored = tensors.values.reduce(0) { $0 + $1.count }
        guard parameters <= stored else {
            throw FileError(
                .damaged, path: path, reason: "\(stored) values, where its network has \(parameters) parameters")
        }
        if let broken = tensors.keys.sorted().first(where: { tensors[$0]?.isAllFinite == false }) {
            throw FileError(
                .damaged, path: path,
                reason:
                    "`\(broken)` holds NaN or infinity, so that the network says nothing: take another copy, or train anew"
            )
        }
        self.init(description, generator: Generator(seed: 0), device: device)
        try network.store.load(tensors)
        network.fold()
        guard let quantization = description.quantization else { return }
        let isOfBytes = device == .cpu && ByteNetwork.isAvailable
        if isOfBytes { byteNetwork = ByteNetwork(network, quantization) }
        guard isOfBytes ? byteNetwork != nil : quantization.fits(network, on: device) else {
            throw FileError(
                .damaged, path: path,
                reason: "`quantization` has ranges of another network: export it anew, by --int8")
        }
        self.quantization = quantization
    }

    /// Whether it computes with integers of 8 bits.
    public var computesBytes: Bool { byteNetwork != nil }

    /// Channels that images must have: 3 are red, green and blue.
    public var channels: Int { network.description.imageChannels }

    /// The class of every pixel of an image, of the model's number of channels, at the image's size.
    ///
    /// As `predict` sees it: an image whose scores would take too much memory is gone through by windows.
    public func segment(_ image: Image) -> Mask {
        var inference = Predictor(device: device)
        _ = inference.boundMemory(for: image, self)
        return map(of: image, by: inference).mask()
    }

    /// Scores or probabilities of every pixel of an image, at the image's size.
    package func map(of image: Image, by inference: Predictor) -> ClassMap {
        map(of: image, by: inference, network: coarseScores)
    }

    /// Class scores `[N, classes, h, w]` of normalised images `[N, channels, H, W]`, at the network's stride.
    ///
    /// By integers of 8 bits, where there is a ``quantization`` and the processor can, else as ``SegmentationNetwork/coarseScores(_:)``.
    package func coarseScores(_ images: Tensor) -> Tensor {
        byteNetwork?.coarseScores(images) ?? network.coarseScores(images)
    }

    /// The same of what something else makes of the image as the network would see it.
    package func map(of image: Image, by inference: Predictor, network: @escaping Predictor.Network) -> ClassMap {
        let seen = scaling.size(width: image.width, height: image.height)
        var inference = inference
        inference.normalization = normalization
        return inference.map(of: image.resized(width: seen.width, height: seen.height), network: network).resized(
            height: image.height, width: image.width, alignCorners: false)
    }

    /// Writes the model file into a run's folder.
    package func write(to path: String, below root: String) throws {
        try saveTensors(network.store.state, metadata: try metadata, to: path, below: root, carriesDigest: true)
    }

    /// What it takes to use the weights alone: genotype or encoder, configuration, classes, resize or longer side, preprocessing.
    package var metadata: [String: String] {
        get throws {
            func json(_ value: some Encodable) throws -> String {
                // Without an order of keys two files of one network would differ.
                let encoder = JSONEncoder()
                encoder.outputFormatting = .sortedKeys
                return String(decoding: try encoder.encode(value), as: UTF8.self)
            }
            var result = [
                "classes": try json(classes), "resize": try json(scaling.factor), "preprocessing": "2x/255-1",
            ]
            if normalization != .color {
                result["preprocessing"] = "(x-mean)/deviation"
                result["normalization"] = try json(normalization)
            }
            if !shownChannels.isEmpty { result["shown"] = try json(shownChannels) }
            switch network.description {
            case .discrete(let genotype, let configuration):
                result["genotype"] = String(decoding: genotype.json(), as: UTF8.self)
                result["configuration"] = try json(configuration)
            case .encoded(let configuration):
                result["network"] = ModelDescription.encoded
                result["configuration"] = try json(configuration)
            }
            if let side = scaling.longerSide { result["longerSide"] = try json(side) }
            result["quantization"] = try quantization.map(json)
            result["masks"] = try masks.map(json)
            result["range"] = try range.map(json)
            return result
        }
    }
}
