import Images
import Inference

/// Segments an image: `SegmentImage runs/train street.png mask.png`.
@main
struct SegmentImage {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else { return print("usage: SegmentImage MODEL IMAGE MASK.png") }
        let model = try Model(at: arguments[1])
        let image = try readImage(path: arguments[2])
        let mask = model.segment(image)
        try writePNG(mask, palette: model.classes.palette, to: arguments[3])
    }
}
