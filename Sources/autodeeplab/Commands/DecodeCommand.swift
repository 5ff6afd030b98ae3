import ArgumentParser
import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// `decode`: reads the strongest discrete network from a search's checkpoint.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Read the best network from a search (argmax per cell, Viterbi over the path)."
    )

    @OptionGroup var options: DecodeOptions

    func run() throws {
        if let output = options.output {
            try InputFiles(run: options.source).refuse([output])
            try prepareOutput(output)
        }
        let genotype = try decodeCheckpoint(options.source, path: options.path)
        if let output = options.output {
            try AtomicFile.write(genotype.json(), to: output)
            if !options.shared.json { print(output) }
        }
        if options.output == nil || options.shared.json {
            print(String(decoding: genotype.json(), as: UTF8.self), terminator: "")
        }
    }
}
