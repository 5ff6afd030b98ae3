import Export
import Foundation
import Images
import Inference
import Runs
import Segmentation
import Torch

/// What onnx's checker and ONNX Runtime make of an exported model.
package struct ONNXCheck: Codable, Equatable, Sendable {
    /// The version of onnx whose checker found the file valid; nil where Python has none.
    package var onnx: String?
    /// The version of ONNX Runtime that ran the file; nil where Python has none.
    package var onnxRuntime: String?
    /// The largest difference between its scores and ours, as a share of the largest score; for labels the share of
    /// pixels that differ.
    package var difference: Double?
    /// Milliseconds of ONNX Runtime for each image: the median over the repetitions; nil where there were none.
    package var milliseconds: Double?

    /// The largest difference that rounding explains.
    package static let tolerance = 1e-4

    /// Checks a file that was exported from a model.
    ///
    /// - Parameters:
    ///   - path: The ONNX file.
    ///   - model: The model.
    ///   - options: What the file was exported with.
    ///   - size: The image's size, where the options leave it open.
    ///   - repetitions: How often to run it for the time; 0 for once without time.
    ///   - threads: Threads of ONNX Runtime; 0 leaves it the choice.
    /// - Throws: `RunError` where the file is refused.
    package init(
        _ path: String, of model: Model, options: ONNXOptions, size: ONNXOptions.Size, repetitions: Int = 0,
        threads: Int = 0
    ) throws {
        // Without Python nothing is checked, which the verbs say.
        guard PythonProgram.interpreter != nil else { return }
        let size = options.size ?? size
        let folder = try ScratchFolder()
        let image = Image.noise(height: size.height, width: size.width, channels: model.channels)
        let expected: Data = withoutGradients {
            let scores =
                options.takesBytes
                ? model.map(of: image, by: Predictor(device: model.device)).rows(0..<size.height)
                : model.network(image.tensor(on: model.device, model.normalization), mode: .evaluation)
            return options.givesLabels ? Data(scores.argmax(1).bytes()) : scores.floats().data
        }
        try expected.write(to: URL(fileURLWithPath: folder.file("expected")))
        try Data(image.pixels).write(to: URL(fileURLWithPath: folder.file("pixels")))
        let input = Case(
            model: path, pixels: folder.file("pixels"), expected: folder.file("expected"), height: size.height,
            width: size.width, factors: options.factors, shifts: options.shifts, channels: model.channels,
            takesBytes: options.takesBytes, givesLabels: options.givesLabels, repetitions: repetitions, threads: threads
        )
        self = try ONNXCheck.program(input, about: path)
    }

    private struct Case: Encodable {
        let model, pixels, expected: String
        let height, width: Int
        let factors, shifts: [Float]
        let channels: Int
        let takesBytes, givesLabels: Bool
        let repetitions, threads: Int
    }

    private static let program = PythonProgram(
        source: """
            import json, sys, time
            case = json.load(open(sys.argv[1]))
            result = {}
            try:
                import onnx
                onnx.checker.check_model(case["model"], full_check=True)
                result["onnx"] = onnx.__version__
            except ImportError:
                pass
            try:
                import numpy, onnxruntime
            except ImportError:
                onnxruntime = None
            if onnxruntime:
                options = onnxruntime.SessionOptions()
                options.log_severity_level = 3
                options.intra_op_num_threads = case["threads"]
                session = onnxruntime.InferenceSession(case["model"], options, ["CPUExecutionProvider"])
                pixels = numpy.fromfile(case["pixels"], numpy.uint8).reshape(
                    1, case["height"], case["width"], case["channels"])
                images = pixels
                if not case["takesBytes"]:
                    factors, shifts = (numpy.float32(case[name]) for name in ("factors", "shifts"))
                    images = (pixels.astype(numpy.float32) * factors - shifts).transpose(0, 3, 1, 2)
                    images = numpy.ascontiguousarray(images)
                feed = {session.get_inputs()[0].name: images}
                have, = session.run(None, feed)
                want = numpy.fromfile(case["expected"], have.dtype).reshape(have.shape)
                if case["givesLabels"]:
                    result["difference"] = float((have != want).mean())
                else:
                    result["difference"] = float(numpy.abs(have - want).max() / numpy.abs(want).max())
                times = []
                for _ in range(case["repetitions"]):
                    start = time.perf_counter()
                    session.run(None, feed)
                    times.append((time.perf_counter() - start) * 1000)
                if times:
                    result["milliseconds"] = sorted(times)[len(times) // 2]
                result["onnxRuntime"] = onnxruntime.__version__
            print(json.dumps(result))
            """)
}

extension Image {
    /// An image of random bytes, always the same.
    package static func noise(height: Int, width: Int, channels: Int = 3) -> Image {
        var stream = RandomStream(seed: 0, height, width)
        return Image(
            width: width, height: height, channels: channels,
            pixels: (0..<height * width * channels).map { _ in UInt8(truncatingIfNeeded: stream.next()) })
    }
}

extension [Float] {
    fileprivate var data: Data { withUnsafeBytes { Data($0) } }
}
