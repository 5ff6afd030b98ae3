import Datasets
import Foundation
import Images
import Reporting
import Runs
import Torch

/// The run's own validation, and the last evaluation of each split, as far as their files can be read.
func measurements(ofRun paths: RunPaths) -> [RunReport.Measurement] {
    let folder = paths.folder + "/splits"
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let splits = names.prefix(6).compactMap { measurement(in: folder + "/" + $0, title: $0) }
    let validation = measurement(in: paths.validation, title: "best epoch")
    let last = splits.isEmpty ? measurement(in: paths.folder, title: "evaluation") : nil
    return [validation, last].compactMap { $0 } + splits
}

/// The figures of the last evaluation in a folder; nil where there are none.
func storedMetrics(_ paths: RunPaths) -> Metrics? {
    (try? boundedContents(of: paths.evaluation, limit: 1 << 24)).flatMap {
        try? JSONDecoder().decode(Metrics.self, from: $0)
    }
}

/// How an evaluation was made, as far as its file tells.
private struct StoredMethod: Decodable {
    let scales: [Double]?
    let flip: Bool?
    let window: Int?

    var text: String {
        let scales = scales.map { "scales " + $0.map { String(format: "%g", $0) }.joined(separator: ", ") }
        let parts = [scales, flip == true ? "mirrored too" : nil, window.flatMap { $0 > 0 ? "windows of \($0)" : nil }]
        return parts.compactMap { $0 }.joined(separator: "; ")
    }
}

/// The files that ``Evaluation/write(to:)`` puts into a folder; nil where there are none.
private func measurement(in folder: String, title: String) -> RunReport.Measurement? {
    let paths = RunPaths(folder: folder)
    guard let metrics = storedMetrics(paths) else { return nil }
    let method = (try? boundedContents(of: paths.evaluation, limit: 1 << 24)).flatMap {
        try? JSONDecoder().decode(StoredMethod.self, from: $0)
    }
    var result = RunReport.Measurement(title: title)
    result.method = method?.text ?? ""
    result.images = metrics.images
    result.mIOU = metrics.mIOU
    result.pixelAccuracy = metrics.pixelAccuracy
    result.meanAccuracy = metrics.meanAccuracy
    result.iou = metrics.classes.map(\.iou)
    result.confusion = confusion(paths.confusionTable, classes: metrics.classes.count)
    result.worst = metrics.worst.prefix(4).enumerated().compactMap { place, entry in
        // Where the pictures lie is known; what a file says of it is not followed.
        picture("\(paths.worst)/\(place + 1).png", width: 900).map {
            RunReport.Picture(caption: "\(entry.name): mIOU \(String(format: "%.3f", entry.mIOU))", data: $0)
        }
    }
    return result
}

/// The counts of a confusion.csv, whose rows end with as many numbers as there are classes; empty where it has others.
private func confusion(_ path: String, classes: Int) -> [[Int]] {
    guard let data = try? boundedContents(of: path, limit: 1 << 24) else { return [] }
    let rows = String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line -> [Int]? in
        let cells = line.split(separator: ",", omittingEmptySubsequences: false).suffix(classes)
        let counts = cells.compactMap { Int($0) }.filter { $0 >= 0 && $0 < 1 << 50 }
        return counts.count == classes ? counts : nil
    }
    // Names that are numbers make the head look like a row.
    return rows.count >= classes ? Array(rows.suffix(classes)) : []
}

/// A PNG as a small JPEG; nil where it is not there or cannot be read.
func picture(_ path: String, width: Int) -> Data? {
    guard FileManager.default.fileExists(atPath: path), let image = try? readImage(path: path) else { return nil }
    let small = image.width > width ? image.resized(by: Double(width) / Double(image.width)) : image
    return try? jpegData(small, quality: 84)
}

/// The classes that a model file names, without reading its weights.
func modelClasses(_ path: String) -> ClassTable? {
    guard FileManager.default.fileExists(atPath: path), let file = try? SafetensorsFile(path: path) else { return nil }
    return file.header.metadata["classes"].flatMap { try? JSONDecoder().decode(ClassTable.self, from: Data($0.utf8)) }
}
