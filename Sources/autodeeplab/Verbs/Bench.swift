import ArgumentParser
import Experiments
import Export

/// `bench`: how long a trained network takes for an image.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the milliseconds for an image, here and in ONNX Runtime.",
        discussion: "ONNX Runtime is measured where Python has it; PYTHON names the interpreter (python3).")

    @Argument(help: "A training's run folder, or a model file.")
    var model: String

    @Option(help: ArgumentHelp("Height and width of the image.", valueName: "HxW"))
    var size = ImageSize(height: 513, width: 513)

    @Option(help: "How often to measure; the median is shown.")
    var repetitions = 10

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if size.height < 33 || size.width < 33 || size.height > 16_384 || size.width > 16_384 {
            throw ValidationError("--size is from 33x33 to 16384x16384")
        }
        guard (1...10_000).contains(repetitions) else { throw ValidationError("--repetitions is from 1 to 10000") }
    }

    func run() throws {
        let configuration = try Configuration.resolve(preset: nil, file: nil, overrides: shared.overrides)
        let time = try InferenceTime(
            of: try Model(at: model, device: try configuration.device.device()),
            size: .init(height: size.height, width: size.width), repetitions: repetitions,
            configuration: configuration)
        if shared.json { return try printJSON(time) }
        let (median, fastest) = (fixed(time.milliseconds, digits: 1), fixed(time.fastest, digits: 1))
        print("autodeeplab   \(median) ms an image (fastest \(fastest))")
        if let other = time.onnxRuntime, let milliseconds = other.milliseconds {
            print("ONNX Runtime  \(fixed(milliseconds, digits: 1)) ms an image (version \(other.onnxRuntime ?? ""))")
        } else {
            print("ONNX Runtime  not measured: no onnxruntime in Python (PYTHON names one)")
        }
        print("\(size) pixels, \(time.threads) threads, median of \(repetitions)")
    }
}
