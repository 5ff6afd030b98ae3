import Foundation
import Segmentation
import Torch

/// Predicts the class of every pixel of images and writes masks, and overlays if wanted.
///
/// - Parameters:
///   - model: The trained network.
///   - inputs: Image files, or folders that are searched for images.
///   - output: The folder for the results; made where it is missing.
///   - overlay: Whether to write the images with their masks over them too.
///   - reporter: Who shows the progress.
/// - Returns: The masks written, and how many images could not be used; each of those was reported as a warning.
/// - Throws: An error about inputs that do not exist or an output that cannot be written.
public func predict(
    _ model: Model, inputs: [String], output: String, overlay: Bool, reporter: any ProgressReporter
) throws -> (masks: [String], failures: Int) {
    let images = try inputs.flatMap { try imageFiles($0) }
    do {
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    } catch {
        throw RunError(.cannotWrite, path: output, "cannot make the folder for the masks")
    }
    var masks: [String] = []
    var failures = 0
    reporter.report(.began(stage: "predict", unit: "image", total: images.count))
    for (index, path) in images.enumerated() {
        do {
            let image = try readImage(path: path)
            let mask = model.segment(image)
            let stem = output + "/" + URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            try writePNG(mask, palette: model.classes.palette, to: stem + ".png")
            if overlay {
                try writePNG(image.overlaid(with: mask, palette: model.classes.palette), to: stem + "-overlay.png")
            }
            masks.append(stem + ".png")
        } catch let error as DataError where error.kind != .unwritable {
            failures += 1
            reporter.report(.warning("\(error)"))
        }
        reporter.report(.advanced(Advance(completed: index + 1)))
    }
    reporter.report(.ended(stage: "predict"))
    return (masks, failures)
}

/// The image itself, or the images of a folder in the order of their names.
private func imageFiles(_ path: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw DataError(.missing, file: path, problem: "does not exist")
    }
    guard isFolder.boolValue else { return [path] }
    let names = (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted()
    return names.filter { ["png", "jpg", "jpeg"].contains(URL(fileURLWithPath: $0).pathExtension.lowercased()) }
        .map { path + "/" + $0 }
}
