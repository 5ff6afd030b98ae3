import Configurations
import Experiments
import Export
import Foundation
import Images
import Inference
import Runs
import Torch

/// Milliseconds, memory and energy that a model takes for one image.
package struct InferenceTime: Encodable, Equatable, Sendable {
    /// Height and width of the image.
    package var size: [Int]
    /// How many windows it is gone through by; 1 where it is seen whole.
    package var windows: Int
    /// Processor threads.
    package var threads: Int
    /// Ours: the median.
    package var milliseconds: Double
    /// Ours: the fastest.
    package var fastest: Double
    /// Bytes that were resident at most by then; 0 where the system does not tell.
    package var peakBytes: Int
    /// Joules of the processor, all else that runs on it included; nil where the system does not tell.
    package var joules: Double?
    /// ONNX Runtime, where Python has it.
    package var onnxRuntime: ONNXCheck?
    /// Why Python gave no time of ONNX Runtime; nil where it did, or has none.
    package var onnxRuntimeProblem: String?

    /// Measures a model on random pixels as `predict` treats them, and then in ONNX Runtime.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - size: The image's size.
    ///   - repetitions: How often, after once unmeasured.
    ///   - configuration: Says the processor threads, of both, and how the image is gone through.
    /// - Throws: An error about an export that cannot be written.
    package init(of model: Model, size: ONNXOptions.Size, repetitions: Int, configuration: Configuration) throws {
        let threads = configuration.workerThreads
        Engine.threads = threads
        let image = Image.noise(height: size.height, width: size.width, channels: model.channels)
        var inference = Predictor(configuration.evaluate, device: model.device)
        _ = inference.boundMemory(for: image, model)
        func pass() -> Double {
            let start = DispatchTime.now().uptimeNanoseconds
            _ = model.map(of: image, by: inference).mask()
            return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
        }
        _ = pass()
        let meter = EnergyMeter()
        let times = (0..<repetitions).map { _ in pass() }.sorted()
        joules = meter?.joules.map { $0 / Double(repetitions) }
        peakBytes = ProcessMemory.peak
        self.size = [size.height, size.width]
        self.threads = threads
        milliseconds = times[times.count / 2]
        fastest = times[0]
        let seen = InputSpecification(
            classes: model.classes.count, height: size.height, width: size.width, scaling: model.scaling,
            evaluate: configuration.evaluate, scoreStride: model.network.description.scoreStride)
        windows = seen.windows
        let folder = try ScratchFolder()
        // Of an image that is seen whole ONNX Runtime gets the bytes too; else a window as many times.
        var options = model.normalizing(ONNXOptions(size: .init(height: seen.height, width: seen.width)))
        if windows == 1 { options = try model.onnxOptions(size: size, takesBytes: true, givesLabels: true) }
        try model.exportONNX(to: folder.file("model.onnx"), options: options, quantization: model.quantization)
        do {
            var check = try ONNXCheck(
                folder.file("model.onnx"), of: model, options: options, size: options.size ?? size,
                repetitions: repetitions, threads: threads)
            check.milliseconds = check.milliseconds.map { $0 * Double(seen.windows) }
            onnxRuntime = check.onnxRuntime == nil ? nil : check
        } catch let error as RunError {
            // What was measured here stands without it. The file that the line begins with is gone.
            onnxRuntimeProblem = String(error.problem.trimmingPrefix(folder.file("model.onnx") + ": "))
        }
    }
}
