import Foundation
import Reporting
import Segmentation

/// Overlays with a legend of the classes in them.
///
/// Names are set by librsvg's program; without it overlays have no legend, which is said once.
struct Legends {
    private let classes: ClassTable
    private let reporter: any ProgressReporter
    private var drawn: [Key: Image] = [:]
    private var isPossible = true

    private struct Key: Hashable {
        let width: Int
        let labels: [UInt8]
    }

    init(_ classes: ClassTable, reporter: any ProgressReporter) {
        self.classes = classes
        self.reporter = reporter
    }

    /// The image with the mask over it, and below it what the colours mean.
    mutating func overlay(of mask: Mask, on image: Image) throws -> Image {
        let overlay = image.overlaid(with: mask, palette: classes.palette)
        guard let legend = legend(Key(width: max(image.width, 160), labels: Set(mask.labels).sorted())) else {
            return overlay
        }
        return Image.grid([[overlay], [legend]], gap: 0)
    }

    private mutating func legend(_ key: Key) -> Image? {
        if let known = drawn[key] { return known }
        guard isPossible else { return nil }
        let entries = key.labels.filter { Int($0) < classes.count }.map { label in
            (name: classes.names[Int(label)], colour: classes.palette[Int(label)].hex)
        }
        do {
            let png = try rasterize(drawLegend(entries, width: key.width), width: key.width)
            let image = try decodePNG([UInt8](png), file: "legend")
            drawn[key] = image
            return image
        } catch {
            isPossible = false
            reporter.report(.note("overlays without a legend: \(error)"))
            return nil
        }
    }
}
