import Datasets
import Experiments
import Images
import Reporting
import Runs

/// Overlays with a legend of the classes in them.
///
/// A legend has at most a third of the picture's height; where there is no room the largest classes are named. Names are
/// set by librsvg's program; without it overlays have no legend, which is said once.
struct Legends {
    private let classes: ClassTable
    private let reporter: any ProgressReporter
    private var isWanted: Bool
    private var drawn: [Key: Image] = [:]

    private struct Key: Hashable {
        let strip: LegendStrip
        let labels: [Int]
    }

    init(_ classes: ClassTable, isWanted: Bool = true, reporter: any ProgressReporter) {
        self.classes = classes
        self.isWanted = isWanted
        self.reporter = reporter
    }

    /// The image with the mask over it, and below it what the colours mean.
    mutating func overlay(of mask: Mask, on image: Image) throws -> Image {
        let overlay = image.overlaid(with: mask, palette: classes.palette, background: classes.background)
        guard let legend = legend(of: mask) else { return overlay }
        return Image.grid([[overlay], [legend]], gap: 0)
    }

    private mutating func legend(of mask: Mask) -> Image? {
        guard isWanted else { return nil }
        var pixels = [Int](repeating: 0, count: 256)
        for label in mask.labels { pixels[Int(label)] += 1 }
        let present = classes.names.indices.filter { pixels[$0] > 0 && $0 != classes.background }
        let names = present.map { classes.names[$0] }
        guard let strip = LegendStrip(names: names, width: mask.width, height: mask.height / 3) else { return nil }
        let key = Key(strip: strip, labels: present.sorted { pixels[$0] > pixels[$1] }.prefix(strip.shown).sorted())
        if let known = drawn[key] { return known }
        do {
            let entries = key.labels.map { (name: classes.names[$0], colour: classes.palette[$0].hex) }
            let image = try decodePNG([UInt8](rasterize(strip.drawn(entries), width: nil)), file: "legend")
            // Images of many sizes and classes would fill the memory.
            if drawn.count == 64 { drawn.removeAll() }
            drawn[key] = image
            return image
        } catch {
            isWanted = false
            reporter.report(.note("overlays without a legend: \(error)"))
            return nil
        }
    }
}
