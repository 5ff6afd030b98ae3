import Foundation
import Segmentation
import Torch

/// What `predict` writes, and how it looks at images.
public struct PredictionOptions: Sendable {
    /// Whether to write the images with their masks over them too.
    public var overlay = false
    /// Whether overlays have a legend of the classes in them below.
    public var legend = true
    /// The file that every class's probabilities go into too; nil for none.
    public var probabilities: ProbabilityFile?
    /// The files that a benchmark's server takes, in place of palette PNGs.
    public var form: ResultForm?
    /// Scales, mirroring and windows.
    public var evaluate = EvaluateConfiguration()
    /// Million pixels up to which images are read.
    public var megapixels = 100

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
/// A folder's images are found in its subfolders too, and their masks lie in subfolders of the same names.
///
/// - Parameters:
///   - model: The trained network.
///   - inputs: Image files, or folders that are searched for images.
///   - output: The folder for the results; made where it is missing.
///   - options: What is written.
///   - reporter: Who shows the progress.
/// - Returns: The masks written, and how many images could not be used; each of those was reported as a warning.
/// - Throws: An error about inputs that do not exist or an output that cannot be written.
public func predict(
    _ model: Model, inputs: [String], output: String, options: PredictionOptions = PredictionOptions(),
    reporter: any ProgressReporter
) throws -> (masks: [String], failures: Int) {
    if let form = options.form, form.classes != model.classes.count {
        throw RunError(
            .damaged, path: output,
            "results for \(form.rawValue) have \(form.classes) classes, and the model has \(model.classes.count)")
    }
    let images = try inputs.flatMap { try imageFiles($0, reporter: reporter) }
    var targets: [String: String] = [:]
    for image in images {
        let target = image.target(in: output, form: options.form)
        if let other = targets.updateValue(image.path, forKey: target) {
            throw RunError(
                .changed, path: target,
                "would be the mask of \(other) and of \(image.path): predict them into different folders")
        }
    }
    var legends = Legends(model.classes, isWanted: options.legend, reporter: reporter)
    let notes = ReadNotes()
    var masks: [String] = []
    var failures = 0
    reporter.report(.began(stage: "predict", unit: "image", total: images.count))
    for (index, file) in images.enumerated() {
        do {
            let limits = ReadLimits(
                pixels: options.megapixels * 1_000_000, fileBytes: max(512 << 20, options.megapixels * 4_000_000))
            let decoded = try readImage(path: file.path, limits: limits, range: model.range) { ($0, $1) }
            notes.add(decoded.notes, file: file.path)
            reporter.report(notes)
            let image = decoded.image
            var inference = Inference(options.evaluate, device: model.device)
            if let window = inference.boundMemory(for: image, model) {
                reporter.report(
                    .note(
                        "\(file.path): \(image.width)x\(image.height) pixels and \(model.classes.count) classes, gone "
                            + "through by windows of \(window) (--window)"))
            }
            let map = model.map(of: image, by: inference)
            let target = file.target(in: output, form: options.form)
            try RunFolder.makeFolder((target as NSString).deletingLastPathComponent)
            let mask = try options.probabilities?.write(map, besides: target) ?? map.mask()
            if let form = options.form {
                try form.write(mask, to: target)
            } else {
                try writePNG(mask, palette: model.classes.palette, to: target)
            }
            if options.overlay {
                try writePNG(legends.overlay(of: mask, on: image), to: stem(of: target) + "-overlay.png")
            }
            masks.append(target)
        } catch let error as DataError where error.kind != .unwritable {
            failures += 1
            reporter.report(.warning("\(error)"))
        }
        reporter.report(.advanced(Advance(completed: index + 1)))
    }
    reporter.report(.ended(stage: "predict"))
    return (masks, failures)
}

extension ProbabilityFile {
    /// Writes probabilities beside a mask, strip by strip.
    ///
    /// - Returns: The strongest class of each pixel.
    fileprivate func write(_ map: ClassMap, besides mask: String) throws -> Mask {
        let format: PlanesFile.Format = self == .npy ? .npy : .safetensors(name: "probabilities")
        let file = try PlanesFile(
            path: stem(of: mask) + "." + rawValue, format: format, planes: map.classes, height: map.height,
            width: map.width)
        var labels: [UInt8] = []
        try map.probabilities.forEachStrip { row, strip in
            labels += strip.strongestClasses()
            try withoutGradients { try file.write(strip.select(0, 0), from: row) }
        }
        try file.commit()
        return Mask(width: map.width, height: map.height, labels: labels)
    }
}

/// An image file, with the subfolder of the given folder that it was found in.
private struct ImageFile {
    let path: String
    let subfolder: String

    /// Where its mask goes.
    func target(in output: String, form: ResultForm?) -> String {
        let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        if let form { return output + "/" + form.path(stem: stem) }
        return output + "/" + (subfolder.isEmpty ? "" : subfolder + "/") + stem + ".png"
    }
}

/// The image itself, or the images of a folder in the order of their names: those that a data set's reader would find.
///
/// - Throws: `DataError` where there is no image.
private func imageFiles(_ path: String, reporter: any ProgressReporter) throws -> [ImageFile] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw DataError(.missing, file: path, problem: "does not exist")
    }
    guard isFolder.boolValue else { return [ImageFile(path: path, subfolder: "")] }
    let tree = try FileTree(path)
    let names = tree.files.filter(PictureFormat.isPicture)
    guard !names.isEmpty else {
        let found = tree.files.isEmpty ? "nothing" : FileTree.counts(of: tree.files)
        throw DataError(
            .missing, file: path,
            problem: "holds no image (found: \(found)): pictures are \(PictureFormat.listOfExtensions)")
    }
    for note in tree.notes(on: path) { reporter.report(.note(note)) }
    return names.map {
        ImageFile(
            path: (path as NSString).appendingPathComponent($0), subfolder: ($0 as NSString).deletingLastPathComponent)
    }
}

private func stem(of path: String) -> String { (path as NSString).deletingPathExtension }
