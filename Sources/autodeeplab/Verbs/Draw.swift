import ArgumentParser
import Experiments
import Foundation
import Reporting
import Torch

/// `draw`: a network's path and cell as a picture.
struct Draw: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Draw a network's path and cell as SVG.")

    @Argument(help: "A genotype file, a run folder, or a known network's name.")
    var genotype: String

    @Option(help: ArgumentHelp("The picture.", valueName: "file.svg"))
    var output: String

    @Option(help: "A title above the picture.")
    var title: String?

    @OptionGroup var shared: SharedOptions

    func run() throws {
        let picture = drawGenotype(try loadGenotype(genotype), title: title)
        try AtomicFile.write(Data(picture.utf8), to: output)
        if shared.json {
            try printJSON(["output": output])
        } else {
            print(output)
        }
    }
}
