import Export
import Foundation
import Torch

extension Model {
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
