import Datasets
import Export
import Foundation
import Images
import Inference
import Networks
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
    ///   - quantization: Between what values results lie, for a model of 8-bit integers; nil for real numbers.
    /// - Throws: `ExportError` where the network does not fit, `FileError` where the file cannot be written.
    public func exportONNX(to path: String, options: ONNXOptions, quantization: Quantization? = nil) throws {
        // Ranges that are in the graph need not be beside it, where others may have been taken.
        let metadata = try metadata.filter { $0.key != "quantization" }
        try AtomicFile.write(
            try onnxModel(
                of: network, options: options, metadata: metadata, producerVersion: packageVersion,
                quantization: quantization),
            to: path)
    }

    /// Writes a model file by which this program computes with integers of 8 bits.
    ///
    /// - Parameters:
    ///   - path: The file, `.safetensors`.
    ///   - quantization: Between what values results lie.
    /// - Throws: `FileError` where the file cannot be written.
    public func exportModel(to path: String, quantization: Quantization) throws {
        let ranges = String(decoding: try JSONEncoder().encode(quantization), as: UTF8.self)
        let metadata = try metadata.merging(["quantization": ranges]) { $1 }
        try saveTensors(network.store.state, metadata: metadata, to: path, carriesDigest: true)
    }

    /// Between what values the network's results lie for some images, as `predict` sees them.
    ///
    /// - Parameters:
    ///   - paths: Image files, and folders that are searched for images.
    ///   - count: The most images that are looked at, spread over all of them.
    ///   - megapixels: Million pixels up to which images are read.
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    /// - Returns: What `exportONNX` takes.
    /// - Throws: `DataError` where there is no image, or one cannot be read; `Interrupted` if it was asked to stop.
    public func quantization(
        over paths: [String], count: Int = 64, megapixels: Int = 100, reporter: any ProgressReporter,
        interruption: Interruption = Interruption()
    ) throws -> Quantization {
        let files = try paths.flatMap { try imageFiles($0, reporter: reporter) }
        let step = max(1, files.count / max(1, count))
        let chosen = stride(from: 0, to: files.count, by: step).prefix(count).map { files[$0] }
        let limits = ReadLimits(megapixels: megapixels)
        reporter.report(.began(stage: "calibrate", unit: "image", total: chosen.count))
        var passes: [Quantization] = []
        for (index, file) in chosen.enumerated() {
            if let signal = interruption.signal {
                throw Interrupted(signal: signal, done: index, of: chosen.count, units: "images")
            }
            passes.append(quantization(of: try file.read(for: self, limits: limits).image))
            reporter.report(.advanced(Advance(completed: index + 1)))
        }
        reporter.report(.ended(stage: "calibrate"))
        guard let result = Quantization.mean(of: passes) else {
            throw DataError(.missing, file: paths.first ?? "", problem: "holds no image")
        }
        return result
    }

    /// The same of one image.
    package func quantization(of image: Image) -> Quantization {
        var ranges: [ClosedRange<Float>] = []
        _ = map(of: image, by: Predictor(device: device)) { images in
            let recorder = RangeRecorder(images: images)
            let scores = self.network.scores(of: images, on: recorder)
            ranges = recorder.ranges
            return scores
        }
        return Quantization(ranges: ranges)
    }
}
