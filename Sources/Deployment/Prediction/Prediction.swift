import Configurations
import Datasets
import Experiments
import Foundation
import Images
import Inference
import Runs
import Torch

/// What `predict` writes, and how it looks at images.
public struct PredictionOptions: Sendable {
    /// Whether to write the images with their masks over them too.
    public var overlay = false
    /// Whether overlays have a legend of the classes in them below.
    public var legend = true
    /// The file that every class's probabilities go into too; nil for none.
    public var probabilities: ProbabilityFile?
    /// Whether to write `measurements.csv`: pixels, share and connected parts of each class in each image; of a prediction
    /// that is stopped, in those that were done.
    public var measures = false
    /// The side of a pixel in a unit of the user's, for areas in that table; nil leaves them out.
    public var pixelSize: Double?
    /// The files that a benchmark's server takes, in place of palette PNGs.
    public var form: ResultForm?
    /// Scales, mirroring and windows.
    public var evaluate = EvaluateConfiguration()
    /// Million pixels up to which images are read.
    public var megapixels = 100
    /// The channels that overlays show, as red, green and blue, or one as grey; nil for those of the model.
    public var shownChannels: [Int]?

    /// Whether the folder is for these results alone, so that whatever has their names may be replaced.
    package var ownsFolder = false

    /// Palette PNGs alone.
    public init() {}
}

/// How class probabilities are stored.
public enum ProbabilityFile: String, CaseIterable, Sendable {
    /// NumPy's: `[classes, H, W]`, 32-bit floats.
    case npy
    /// A tensor `probabilities` `[classes, H, W]` of 32-bit floats.
    case safetensors
}

/// Predicts the class of every pixel of images and writes masks, and more where wanted.
///
/// A folder's images are found in its subfolders too, and their masks lie in subfolders of the same names. Results of
/// an earlier prediction are written anew; no other file is overwritten, and two results never get one name. All of that
/// is looked at before anything is written.
///
/// - Parameters:
///   - model: The trained network.
///   - inputs: Image files, or folders that are searched for images.
///   - output: The folder for the results; made where it is missing.
///   - options: What is written.
///   - protected: Files that are read besides the images, as the model's.
///   - reporter: Who shows the progress.
///   - interruption: Asks to stop, which is done after an image or within its probabilities.
/// - Returns: The masks written, and how many images could not be used; each of those was reported as a warning.
/// - Throws: An error about inputs that do not exist or an output that cannot be written; `Interrupted` if it was asked
///   to stop.
public func predict(
    _ model: Model, inputs: [String], output: String, options: PredictionOptions = PredictionOptions(),
    protecting protected: InputFiles = InputFiles(), reporter: any ProgressReporter,
    interruption: Interruption = Interruption()
) throws -> (masks: [String], failures: Int) {
    if let form = options.form, form.classes != model.classes.count {
        throw RunError(
            .damaged, path: output,
            "results for \(form.rawValue) have \(form.classes) classes, and the model has \(model.classes.count)")
    }
    let shown = options.shownChannels ?? model.shownChannels
    guard Image.canShow(shown, of: model.channels) else {
        throw RunError(
            .damaged, path: output,
            "overlays of the channels \(shown), and the model sees images of \(model.channels): count channels from 0")
    }
    let images = try inputs.flatMap { try imageFiles($0, besides: output, reporter: reporter) }
    let files = try PredictedFiles(of: images, in: output, options: options)
    try files.refuseOverwriting(protected, images: images)
    if options.measures { try Measurements.refuseOverwriting(in: output) }
    try OutputPaths.refuseLinks(toOutput: output)
    let targets =
        images.flatMap { files.targets(of: $0).map(\.path) }
        + (options.measures ? [output + "/" + Measurements.name] : [])
    try OutputPaths(in: output).refuseLinks(at: targets)
    if !options.ownsFolder { try refusePredictions(in: output, of: inputs) }
    for folder in Set(targets.map(folderOf)) { AtomicFile.removeLeftovers(in: folder) }
    var legends = Legends(model.classes, isWanted: options.legend, reporter: reporter)
    let notes = ReadNotes()
    var measurements = Measurements(classes: model.classes.names, pixelSize: options.pixelSize)
    var masks: [String] = []
    var failures = 0
    reporter.report(.began(stage: "predict", unit: "image", total: images.count))
    for (index, file) in images.enumerated() {
        func stopIfAsked() throws {
            guard let signal = interruption.signal else { return }
            // Of the masks that are there already.
            if options.measures, !masks.isEmpty { try? measurements.write(to: output) }
            throw Interrupted(signal: signal, done: index, of: images.count, units: "images")
        }
        try stopIfAsked()
        do {
            try files.refuseLongNames(of: file)
            let decoded = try file.read(for: model, limits: ReadLimits(megapixels: options.megapixels))
            notes.add(decoded.notes, file: file.path)
            reporter.report(notes)
            let image = decoded.image
            var inference = Predictor(options.evaluate, device: model.device)
            if let window = inference.boundMemory(for: image, model) {
                reporter.report(
                    .note(
                        "\(file.path): \(image.width)x\(image.height) pixels and \(model.classes.count) classes, gone "
                            + "through by windows of \(window) (evaluate.window)"))
            }
            let map = model.map(of: image, by: inference)
            let target = file.target(in: output, form: options.form)
            let software = PredictedFiles.software
            try RunFolder.makeFolder(folderPart(of: target))
            let mask: Mask
            var probabilities: PlanesFile?
            if let kind = options.probabilities, let path = files.target(.probabilities, of: file) {
                (mask, probabilities) = try kind.write(map, to: path, below: output, stopIfAsked)
            } else {
                mask = map.mask()
            }
            if let form = options.form {
                try form.write(mask, to: target, software: software)
            } else {
                try writePNG(mask, palette: model.classes.palette, to: target, software: software)
            }
            // After the mask, by which they are known as a prediction's.
            try probabilities?.commit()
            if let path = files.target(.overlay, of: file) {
                try writePNG(legends.overlay(of: mask, on: image.shown(shown)), to: path, software: software)
            }
            if options.measures { measurements.add(mask, image: file.path) }
            masks.append(target)
        } catch let error as DataError where error.kind != .unwritable {
            failures += 1
            reporter.report(.warning("\(error)"))
        }
        reporter.report(.advanced(Advance(completed: index + 1)))
    }
    reporter.report(.ended(stage: "predict"))
    if options.measures { try measurements.write(to: output) }
    return (masks, failures)
}

extension ReadLimits {
    /// Images of so many million pixels, and files that may hold such.
    init(megapixels: Int) {
        self.init(pixels: megapixels * 1_000_000, fileBytes: max(512 << 20, megapixels * 4_000_000))
    }
}

extension ProbabilityFile {
    /// Writes probabilities, strip by strip.
    ///
    /// - Returns: The strongest class of each pixel, and the file, which is not committed yet.
    fileprivate func write(
        _ map: ClassMap, to path: String, below root: String, _ stopIfAsked: () throws -> Void
    ) throws -> (Mask, PlanesFile) {
        let format: PlanesFile.Format =
            self == .npy
            ? .npy : .safetensors(name: "probabilities", metadata: ["software": PredictedFiles.software])
        let file = try PlanesFile(
            path: path, below: root, format: format, planes: map.classes, height: map.height,
            width: map.width)
        var labels: [UInt8] = []
        try map.probabilities.forEachStrip { row, strip in
            try stopIfAsked()
            labels += strip.strongestClasses()
            try withoutGradients { try file.write(strip.select(0, 0), from: row) }
        }
        return (Mask(width: map.width, height: map.height, labels: labels), file)
    }
}

/// The image itself, or the images of a folder in the order of their names: those that a data set's reader would find.
///
/// Where the results go into a folder inside, what is there from an earlier prediction is passed over.
///
/// - Throws: `DataError` where there is no image.
func imageFiles(
    _ path: String, besides output: String? = nil, reporter: any ProgressReporter
) throws -> [PredictedImage] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        if let image = PredictedImage(joined: path) { return [image] }
        throw DataError(.missing, file: path, problem: "does not exist")
    }
    guard isFolder.boolValue else { return [PredictedImage(path: path, subfolder: "")] }
    let tree = try FileTree(path)
    let folder = resolvedPath(path) + "/"
    let inside = output.map { resolvedPath($0) + "/" } ?? folder
    let results = inside.hasPrefix(folder) && inside != folder ? String(inside.dropFirst(folder.count)) : nil
    let names = tree.files.filter { name in
        PictureFormat.isPicture(name) && !(results.map { name.hasPrefix($0) } ?? false)
    }
    guard !names.isEmpty else {
        let found = tree.files.isEmpty ? "nothing" : FileTree.counts(of: tree.files)
        throw DataError(
            .missing, file: path,
            problem: "holds no image (found: \(found)): pictures are \(PictureFormat.listOfExtensions)")
    }
    for note in tree.notes(on: path) { reporter.report(.note(note)) }
    return names.map {
        PredictedImage(
            path: (path as NSString).appendingPathComponent($0), subfolder: folderPart(of: $0))
    }
}
