import Foundation
import Runs

/// A drawing as PNG, by librsvg's `rsvg-convert`.
///
/// - Parameters:
///   - svg: The drawing.
///   - width: Pixels in a row; nil takes the drawing's own size.
/// - Returns: The file's bytes.
/// - Throws: `RunError` where the program is not there.
package func rasterize(_ svg: String, width: Int?) throws -> Data {
    let folder = try ScratchFolder()
    try Data(svg.utf8).write(to: URL(fileURLWithPath: folder.file("drawing.svg")))
    let size = width.map { ["--width", String($0), "--keep-aspect-ratio"] } ?? []
    let program = ChildProgram(
        path: "rsvg-convert",
        arguments: size + [folder.file("drawing.svg"), "--output", folder.file("drawing.png")])
    guard program.run() == 0, let png = FileManager.default.contents(atPath: folder.file("drawing.png"))
    else {
        throw RunError(
            .missing, path: "rsvg-convert",
            "is not there or fails: install librsvg2-bin (Homebrew: librsvg), or draw an .svg")
    }
    return png
}
