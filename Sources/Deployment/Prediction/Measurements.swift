import Datasets
import Foundation
import Images
import Runs
import Torch

/// A table of what was predicted, for those who segment in order to measure: a row for each image and class.
struct Measurements {
    /// What the file is called.
    static let name = "measurements.csv"

    private let classes: [String]
    private let pixelSize: Double?
    private var lines: [String]

    /// An empty table.
    ///
    /// - Parameters:
    ///   - classes: The classes' names.
    ///   - pixelSize: The side of a pixel in a unit of the user's; nil leaves areas out.
    init(classes: [String], pixelSize: Double?) {
        self.classes = classes
        self.pixelSize = pixelSize
        lines = [Self.header(hasArea: pixelSize != nil)]
    }

    private static func header(hasArea: Bool) -> String {
        "image,class,pixels,share,parts" + (hasArea ? ",area" : "")
    }

    /// Adds the rows of an image.
    mutating func add(_ mask: Mask, image: String) {
        var pixels = [Int](repeating: 0, count: 256)
        for label in mask.labels { pixels[Int(label)] += 1 }
        let parts = mask.connectedParts(classes: classes.count)
        for (label, name) in classes.enumerated() {
            let share = Double(pixels[label]) / Double(max(1, mask.labels.count))
            let area = pixelSize.map { String(format: ",%.6g", Double(pixels[label]) * $0 * $0) } ?? ""
            lines.append(
                "\(csvCell(image)),\(csvCell(name)),\(pixels[label])," + String(format: "%.6f", share)
                    + ",\(parts[label])" + area)
        }
    }

    /// Refuses to write over a file that is no such table.
    ///
    /// - Throws: `RunError` that names it.
    static func refuseOverwriting(in output: String) throws {
        let path = output + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { return }
        let text = (try? boundedContents(of: path, limit: 1 << 30)).map {
            String(decoding: $0.prefix(64), as: UTF8.self)
        }
        guard text?.hasPrefix(header(hasArea: false)) == true else {
            throw RunError(
                .overwrites, path: path, "is there already, and no prediction wrote it", advice: .takeOtherOutput)
        }
    }

    /// Writes the table.
    ///
    /// - Throws: `FileError` where it cannot be written.
    func write(to output: String) throws {
        let text = lines.joined(separator: "\n") + "\n"
        try AtomicFile.write(Data(text.utf8), to: output + "/" + Self.name, below: output)
    }
}
