import ArgumentParser
import Configurations
import Deployment
import Export
import Foundation
import Inference
import Networks
import Runs
import Torch

/// `export`: a trained network as an ONNX model, a Core ML program, or a model file of integers of 8 bits.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a trained network as an ONNX model, a Core ML program, or a model of 8-bit integers.",
        discussion: """
            The model takes floats `image` [N, 3, H, W], 2x / 255 - 1, and gives floats `scores` [N, classes, H, W]; \
            images of other channels are normalised by the means and deviations that its metadata have. \
            Classes, palette, genotype and preprocessing are in its metadata. An .mlpackage is written by Python's \
            coremltools and onnx (PYTHON names the interpreter) and needs --size. With --int8 the network computes with \
            integers of 8 bits, faster where the runtime and the processor know how; how much it loses is to be measured. \
            A .safetensors with --int8 is a model file that predict, evaluate, bench and Swift packages compute so.
            """)

    @OptionGroup var options: ExportOptions

    func run() throws {
        let configuration = try Configuration.resolve(preset: nil, file: nil, overrides: options.shared.overrides)
        try (InputFiles(run: options.model) + InputFiles(options.int8)).refuse([options.output])
        try prepareOutput(options.output)
        // What cannot be written is told before images are looked at for minutes.
        if options.isCoreML {
            try refuseNoPackage(options.output)
        } else {
            _ = try AtomicFile(path: options.output)
        }
        // Looking at images can be stopped between two; all else ends at once.
        let interruption = Interruption()
        let handlers = options.int8.isEmpty ? SignalHandlers() : SignalHandlers(interruption, unit: "image")
        defer { withExtendedLifetime(handlers) {} }
        let model = try openModel(options.model, configuration, reporter: options.shared.reporter)
        if options.isModel { return try exportModel(model, interruption) }
        let onnx = try model.onnxOptions(
            size: options.imageSize, takesBytes: options.preprocess, givesLabels: options.argmax)
        var report = Report(output: options.output)
        var isOfBytes = false
        if options.isCoreML, let size = options.imageSize {
            if model.quantization != nil {
                options.shared.reporter.report(
                    .warning(
                        "\(options.output): computes with real numbers, unlike \(options.model), which has 8-bit integers"
                    ))
            }
            report.coremltools = try model.exportCoreML(to: options.output, size: size)
        } else {
            let quantization = try options.int8.isEmpty ? model.quantization : calibrate(model, interruption)
            isOfBytes = quantization != nil
            try model.exportONNX(to: options.output, options: onnx, quantization: quantization)
        }
        if !model.scaling.isIdentity && !onnx.takesBytes {
            let how = model.scaling.longerSide.map { "to a longer side of \($0)" } ?? "by \(model.scaling.factor)"
            options.shared.reporter.report(
                .warning(
                    "images have to be resized \(how) first, as in the training; with --preprocess the model does it"))
        }
        if options.check {
            report.check = try ONNXCheck(
                options.output, of: model, options: onnx, size: .init(height: 97, width: 129))
        }
        try show(report)
        if !isOfBytes, let difference = report.check?.difference, difference > ONNXCheck.tolerance {
            throw RunError(
                .damaged, path: options.output, "ONNX Runtime's result differs from ours by \(difference)")
        }
    }

    /// A model file that has the ranges for integers of 8 bits.
    private func exportModel(_ model: Model, _ interruption: Interruption) throws {
        if !ByteConvolution.isAvailable {
            options.shared.reporter.report(
                .warning(
                    "\(options.output): on this machine it is computed with real numbers: its processor or libtorch cannot "
                        + "multiply 8-bit integers exactly (no VNNI)"))
        }
        try model.exportModel(to: options.output, quantization: calibrate(model, interruption))
        try show(Report(output: options.output))
    }

    /// What values lie between in images that the user names.
    private func calibrate(_ model: Model, _ interruption: Interruption) throws -> Quantization {
        try model.quantization(
            over: options.int8, count: options.int8Images ?? 64, reporter: options.shared.reporter,
            interruption: interruption
        )
    }

    private func show(_ report: Report) throws {
        if options.shared.json { return try printJSON(report) }
        print(report.output)
        if let version = report.coremltools { print("written and read back by coremltools \(version); not run") }
        guard let check = report.check else { return }
        print(check.onnx.map { "valid, says onnx \($0)" } ?? "not checked: no onnx in Python (PYTHON names one)")
        print(
            check.onnxRuntime.map {
                "ONNX Runtime \($0) differs from us by \(String(format: "%.1e", check.difference ?? 0))"
            } ?? "not run: no onnxruntime in Python (PYTHON names one)")
    }

    private struct Report: Encodable {
        let output: String
        var check: ONNXCheck?
        var coremltools: String?
    }
}

/// What `export` takes.
struct ExportOptions: ParsableArguments {
    @Argument(help: "A training's run folder, or a model file.")
    var model: String

    @Option(
        help: ArgumentHelp(
            "The file: .onnx, .mlpackage for Core ML, or, with --int8, .safetensors for this program.",
            valueName: "file"),
        transform: outputName)
    var output: String

    @Option(help: ArgumentHelp("Height and width of the images; open without it.", valueName: "HxW"))
    var size: ImageSize?

    @Flag(help: "Take bytes `pixels` [N, H, W, 3]: resizing, scaling and padding are in the graph.")
    var preprocess = false

    @Flag(help: "Give bytes `labels` [N, H, W]: the class of each pixel.")
    var argmax = false

    @Option(
        help: ArgumentHelp(
            """
            Make the model of integers of 8 bits (QDQ form, weights by output channel), whose ranges are those of these \
            images, files or folders: the training's. May be given several times.
            """, valueName: "images"))
    var int8: [String] = []

    @Option(help: "With --int8: how many of the images are looked at (default: 64).")
    var int8Images: Int?

    @Flag(help: "Let onnx's checker and ONNX Runtime try the file, where Python has them.")
    var check = false

    @OptionGroup var shared: SharedOptions

    /// The size that was typed.
    var imageSize: ONNXOptions.Size? { size.map { .init(height: $0.height, width: $0.width) } }

    /// Whether a Core ML program is wanted.
    var isCoreML: Bool { (output as NSString).pathExtension.lowercased() == "mlpackage" }

    /// Whether a model file for this program is wanted.
    var isModel: Bool { (output as NSString).pathExtension.lowercased() == "safetensors" }

    func validate() throws {
        try refuseEnding(of: output, unlike: ["onnx", "mlpackage", "safetensors"])
        if isModel, int8.isEmpty || size != nil || preprocess || argmax || check {
            throw ValidationError(
                "A .safetensors needs --int8, and none of --size, --preprocess, --argmax and --check")
        }
        if isCoreML, size == nil || preprocess || argmax || check || !int8.isEmpty {
            throw ValidationError("An .mlpackage needs --size, and none of --preprocess, --argmax, --int8 and --check")
        }
        if let int8Images {
            guard (1...10_000).contains(int8Images) else { throw ValidationError("--int8-images is from 1 to 10000") }
            if int8.isEmpty { throw ValidationError("--int8-images needs --int8") }
        }
        if let size, size.height < 33 || size.width < 33 || size.height > 16_384 || size.width > 16_384 {
            throw ValidationError("--size is from 33x33 to 16384x16384")
        }
    }
}
