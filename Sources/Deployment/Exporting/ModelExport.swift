import Export
import Foundation
import Inference
import Runs
import Torch

extension Model {
    /// Options for this model: where bytes are taken, they are resized as `predict` does.
    ///
    /// - Throws: `ExportError` where resizing needs a fixed size.
    public func onnxOptions(
        size: ONNXOptions.Size? = nil, takesBytes: Bool = false, givesLabels: Bool = false
    ) throws -> ONNXOptions {
        var options = normalizing(ONNXOptions(size: size, takesBytes: takesBytes, givesLabels: givesLabels))
        guard takesBytes, !scaling.isIdentity else { return options }
        if let size {
            let seen = scaling.size(width: size.width, height: size.height)
            options.resizing = .size(ONNXOptions.Size(height: seen.height, width: seen.width))
        } else {
            options.resizing = try ONNXOptions.Resizing(factor: scaling.longerSide == nil ? scaling.factor : 0)
        }
        return options
    }

    /// The same options with the model's means and deviations, where it has its own.
    func normalizing(_ options: ONNXOptions) -> ONNXOptions {
        guard normalization != .color else { return options }
        var options = options
        options.factors = normalization.factors
        options.shifts = normalization.shifts
        return options
    }

    /// Writes the network as an ONNX model, with the model file's metadata.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - options: What the ONNX model takes and gives.
    /// - Throws: `ExportError` where the network does not fit, `FileError` where the file cannot be written.
    public func exportONNX(to path: String, options: ONNXOptions) throws {
        try AtomicFile.write(
            try onnxModel(of: network, options: options, metadata: try metadata, producerVersion: packageVersion),
            to: path)
    }
}
