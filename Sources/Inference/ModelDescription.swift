import Datasets
import Foundation
import Images
import Networks
import SearchSpace
import Torch

/// All that a model is besides its weights.
public struct ModelDescription: Equatable, Sendable {
    /// What the network is built from.
    public var network: NetworkDescription
    /// Names and colours of the classes.
    public var classes: ClassTable
    /// The size at which the network sees images.
    public var scaling: ImageScaling
    /// What the values in the masks that it learnt from meant; nil where its file does not say.
    public var masks: MaskMeaning?
    /// What became black and white in the images of more than 8 bits that it learnt from; nil where its file does not say.
    public var range: ValueRange?
    /// What becomes of images' bytes before the network sees them.
    public var normalization: ChannelNormalization
    /// The channels of images that pictures show, as red, green and blue, or as grey; none for the first three.
    public var shownChannels: [Int] = []
    /// Between what values results lie, for a network that computes with integers of 8 bits; nil for real numbers.
    public var quantization: Quantization?

    /// A network of a genotype, whose classes have no names.
    public init(_ genotype: Genotype, _ configuration: DiscreteConfiguration, scaling: ImageScaling = ImageScaling()) {
        self.init(.discrete(genotype, configuration), scaling: scaling)
    }

    /// A network whose classes have no names.
    public init(_ network: NetworkDescription, scaling: ImageScaling = ImageScaling()) {
        self.network = network
        classes = ClassTable(count: network.classes)
        normalization = .unmeasured(channels: network.imageChannels)
        self.scaling = scaling
    }

    /// Reads what a model file, or that of a run folder, says of itself; its weights are not read.
    ///
    /// - Throws: One line about a file that is missing, damaged or no model.
    public init(at argument: String) throws {
        let path = try ModelDescription.path(of: argument)
        try self.init(SafetensorsFile(path: path).header.metadata, path: path)
    }

    /// Whether an argument is a model file, or a run folder that has one.
    public static func exists(at argument: String) -> Bool {
        guard let path = try? path(of: argument) else { return false }
        return path != argument || path.hasSuffix(".safetensors")
    }

    /// The model file that an argument names.
    static func path(of argument: String) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
            throw FileError(.missing, path: argument, reason: "no such run or model file")
        }
        let path = isFolder.boolValue ? argument + "/model.safetensors" : argument
        guard FileManager.default.fileExists(atPath: path) else {
            throw FileError(
                .missing, path: path,
                reason:
                    "not there: perhaps this is the folder of a search, or of a training that has not written a model"
                    + " yet")
        }
        return path
    }

    /// What the metadata say of an encoder with a decoder.
    static let encoded = "encoded"

    /// The description in a model file's metadata.
    init(_ metadata: [String: String], path: String) throws {
        func value<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
            guard let text = metadata[key], let value = try? JSONDecoder().decode(type, from: Data(text.utf8)) else {
                throw FileError(.damaged, path: path, reason: "no usable `\(key)`; it is no model file")
            }
            return value
        }
        switch metadata["network"] {
        // Of a genotype's network, which had no other kind beside it at first, nothing is said.
        case nil:
            network = .discrete(
                try Genotype(json: Data((metadata["genotype"] ?? "").utf8), source: path),
                try value("configuration", as: DiscreteConfiguration.self))
        case ModelDescription.encoded?:
            network = .encoded(try value("configuration", as: EncodedConfiguration.self))
        case _?:
            throw FileError(
                .damaged, path: path, reason: "`network` is of a kind that this version does not know: take a newer one"
            )
        }
        classes = try value("classes", as: ClassTable.self)
        let resize = try value("resize", as: Double.self)
        masks = metadata["masks"] == nil ? nil : try value("masks", as: MaskMeaning.self)
        guard masks?.isPossible(classes: classes.count) ?? true else {
            throw FileError(.damaged, path: path, reason: "`masks` gives labels a meaning that they cannot have")
        }
        if metadata["range"] != nil {
            guard let stored = try? value("range", as: ValueRange.self) else {
                throw FileError(.damaged, path: path, reason: "`range` holds no values from 0 to 65535")
            }
            range = stored
        }
        normalization = .color
        if metadata["normalization"] != nil {
            guard let stored = try? value("normalization", as: ChannelNormalization.self) else {
                throw FileError(
                    .damaged, path: path, reason: "`normalization` holds no means and deviations of 1 to 32 channels")
            }
            normalization = stored
        }
        if metadata["shown"] != nil { shownChannels = try value("shown", as: [Int].self) }
        if metadata["quantization"] != nil {
            guard let stored = try? value("quantization", as: Quantization.self) else {
                throw FileError(
                    .damaged, path: path, reason: "`quantization` holds no ranges of values: export it anew, by --int8")
            }
            quantization = stored
        }
        let longerSide = metadata["longerSide"] == nil ? nil : try value("longerSide", as: Int.self)
        do {
            try network.validate()
        } catch {
            throw FileError(.damaged, path: path, reason: "\(error)")
        }
        guard normalization.channels == network.imageChannels else {
            throw FileError(
                .damaged, path: path,
                reason: "means of \(normalization.channels) channels, where the network sees \(network.imageChannels)")
        }
        guard Image.canShow(shownChannels, of: normalization.channels) else {
            throw FileError(
                .damaged, path: path, reason: "`shown` names channels that its images do not have")
        }
        guard classes.count == network.classes else {
            throw FileError(
                .damaged, path: path, reason: "\(classes.count) classes named, \(network.classes) meant")
        }
        guard (0.0625...4).contains(resize) else {
            throw FileError(.damaged, path: path, reason: "images resized by \(resize), where 0.0625 to 4 are possible")
        }
        guard (1...16_384).contains(longerSide ?? 1) else {
            throw FileError(
                .damaged, path: path,
                reason: "images brought to \(longerSide ?? 0) pixels, where 1 to 16384 are possible")
        }
        scaling = ImageScaling(factor: resize, longerSide: longerSide)
    }
}
