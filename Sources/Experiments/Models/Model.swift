import Foundation
import Networks
import SearchSpace
import Segmentation
import Torch

/// A trained network with all that it takes to use it alone: genotype, widths, classes, palette.
public final class Model {
    /// The network.
    public let network: DiscreteNetwork
    /// The architecture that it was built from.
    public let genotype: Genotype
    /// Names and colours of the classes.
    public let classes: ClassTable
    /// Factor that images are resized by before the network sees them.
    public let resize: Double
    /// What the values in the masks that it learnt from meant; nil where its file does not say.
    public let masks: MaskMeaning?
    /// What became black and white in the images of more than 8 bits that it learnt from; nil where there were none, or
    /// where its file does not say: then their upper 8 bits are taken.
    public var range: ValueRange?
    /// Where it computes.
    public let device: Device

    /// A new network, its weights drawn from `generator`.
    init(
        genotype: Genotype, configuration: DiscreteConfiguration, classes: ClassTable, resize: Double,
        masks: MaskMeaning?, generator: Generator, device: Device
    ) {
        self.genotype = genotype
        self.classes = classes
        self.resize = resize
        self.masks = masks
        self.device = device
        network = DiscreteNetwork(
            genotype, configuration, store: VariableStore(generator: generator, device: device))
    }

    /// Reads a model file, or that of a run folder.
    ///
    /// - Throws: One line about a file that is missing, damaged or no model.
    public convenience init(at argument: String, device: Device = .cpu) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
            throw RunError(.missing, path: argument, "no such run or model file")
        }
        let path = isFolder.boolValue ? RunPaths(folder: argument).model : argument
        guard FileManager.default.fileExists(atPath: path) else {
            throw RunError(.missing, path: path, "not there; the training has not written a model yet")
        }
        let (tensors, metadata) = try loadTensors(path)
        func value<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
            guard let text = metadata[key], let value = try? JSONDecoder().decode(type, from: Data(text.utf8)) else {
                throw RunError(.damaged, path: path, "no usable `\(key)`; it is no model file")
            }
            return value
        }
        let genotype = try Genotype(json: Data((metadata["genotype"] ?? "").utf8), source: path)
        let configuration = try value("configuration", as: DiscreteConfiguration.self)
        let classes = try value("classes", as: ClassTable.self)
        let resize = try value("resize", as: Double.self)
        let masks = metadata["masks"] == nil ? nil : try value("masks", as: MaskMeaning.self)
        guard masks?.isPossible(classes: classes.count) ?? true else {
            throw RunError(.damaged, path: path, "`masks` gives labels a meaning that they cannot have")
        }
        do {
            try configuration.validate()
        } catch {
            throw RunError(.damaged, path: path, "\(error)")
        }
        guard classes.count == configuration.classes else {
            throw RunError(
                .damaged, path: path, "\(classes.count) classes named, \(configuration.classes) meant")
        }
        guard (0.0625...4).contains(resize) else {
            throw RunError(.damaged, path: path, "images resized by \(resize), where 0.0625 to 4 are possible")
        }
        // Before anything is built: a file of a few bytes must not ask for a network of many.
        let parameters = Cost(configuration.layout(of: genotype), height: 33, width: 33).parameters
        let stored = tensors.values.reduce(0) { $0 + $1.count }
        guard parameters <= stored else {
            throw RunError(
                .damaged, path: path, "\(stored) values, where its network has \(parameters) parameters")
        }
        self.init(
            genotype: genotype, configuration: configuration, classes: classes, resize: resize, masks: masks,
            generator: Generator(seed: 0), device: device)
        if metadata["range"] != nil {
            let stored = try value("range", as: ValueRange.self)
            guard let possible = ValueRange(low: stored.low, high: stored.high) else {
                throw RunError(.damaged, path: path, "`range` holds no values from 0 to 65535")
            }
            range = possible
        }
        try network.store.load(tensors)
        network.fold()
    }

    /// The class of every pixel of an image, at the image's size.
    public func segment(_ image: Image) -> Mask {
        segment(image, by: Inference(device: device), wantsProbabilities: false).mask
    }

    /// Writes the model file.
    func write(to path: String) throws {
        try saveTensors(network.store.state, metadata: try metadata, to: path, carriesDigest: true)
    }

    /// What it takes to use the weights alone: genotype, configuration, classes, resize, preprocessing.
    var metadata: [String: String] {
        get throws {
            func json(_ value: some Encodable) throws -> String {
                // Without an order of keys two files of one network would differ.
                let encoder = JSONEncoder()
                encoder.outputFormatting = .sortedKeys
                return String(decoding: try encoder.encode(value), as: UTF8.self)
            }
            var result = [
                "genotype": String(decoding: genotype.json(), as: UTF8.self),
                "configuration": try json(network.configuration), "classes": try json(classes),
                "resize": try json(resize), "preprocessing": "2x/255-1",
            ]
            result["masks"] = try masks.map(json)
            result["range"] = try range.map(json)
            return result
        }
    }
}
