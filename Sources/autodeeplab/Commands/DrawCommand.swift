import ArgumentParser
import Experiments
import Foundation
import Runs
import Torch

/// `draw`: a network's path and cell as a picture.
struct DrawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "draw",
        abstract: "Draw a network's path and cell as SVG or PNG.",
        discussion: """
            A search's run folder is drawn as the search has it now: arrows and operators as thick and dark as they \
            are probable. A decoder's genotype is drawn as its blocks and its cell. PNG needs rsvg-convert (librsvg2-bin).
            """)

    @Argument(help: "A genotype file, a run folder, or the name of a known network or decoder.")
    var genotype: String

    @Option(help: ArgumentHelp("The picture, .svg or .png.", valueName: "file"), transform: outputName)
    var output: String

    @Option(help: "A title above the picture.")
    var title: String?

    @Option(help: "Pixels in a row of a PNG; the drawing's own size without it.")
    var width: Int?

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        try refuseEnding(of: output, unlike: ["svg", "png"])
        if let width, !(16...32_768).contains(width) { throw ValidationError("--width is from 16 to 32768") }
    }

    func run() throws {
        try InputFiles(run: genotype).refuse([output])
        try prepareOutput(output)
        let picture = try architectureDrawing(of: genotype, title: title)
        let isPNG = output.lowercased().hasSuffix(".png")
        try AtomicFile.write(isPNG ? try rasterize(picture, width: width) : Data(picture.utf8), to: output)
        if shared.json {
            try printJSON(["output": output])
        } else {
            print(output)
        }
    }
}
