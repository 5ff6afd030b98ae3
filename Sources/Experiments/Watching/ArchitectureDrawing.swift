import Configurations
import Foundation
import Inference
import Reporting
import Runs
import SearchSpace
import Torch

/// The drawing, as SVG, of the architecture that an argument names: of a decoder's genotype, or as ``LiveArchitecture``.
///
/// - Parameters:
///   - argument: A genotype file of either kind, a run folder, a known network's name, or a known decoder's, perhaps behind
///     an encoder's (`efficientnet-lite0+nekrasov:arch0`).
///   - title: A line above the drawing.
/// - Returns: An SVG file.
/// - Throws: As `LiveArchitecture(of:)`; `SearchSpaceError` where a decoder's name or file is damaged.
public func architectureDrawing(of argument: String, title: String?) throws -> String {
    if let decoder = try decoderGenotype(argument) { return drawDecoder(decoder, title: title) }
    return try LiveArchitecture(of: argument).drawing(title: title)
}

/// The decoder's genotype that an argument names; nil where it names something else.
private func decoderGenotype(_ argument: String) throws -> DecoderGenotype? {
    if let genotype = try DecoderGenotype.named(argument) { return genotype }
    if let network = EncoderKind.named(argument) { return network.decoder?.genotype }
    let paths = RunPaths(folder: argument)
    if FileManager.default.fileExists(atPath: paths.configuration) {
        if let found = try foundDecoder(paths) { return found }
        let train = try Configuration.resolve(file: paths.configuration).train
        let isOfGenotype = FileManager.default.fileExists(atPath: paths.genotype)
        return train.encoder == .none || isOfGenotype ? nil : train.decoder.genotype
    }
    guard let json = optionalContents(of: argument, limit: Genotype.maximumBytes), DecoderGenotype.isKind(of: json)
    else { return nil }
    return try DecoderGenotype(json: json, source: argument)
}

/// The decoder that a search has found, from its folder; nil where it is a run of something else.
///
/// - Parameter paths: The folder's.
/// - Returns: The decoder.
/// - Throws: `SearchSpaceError` where the file is damaged.
func foundDecoder(_ paths: RunPaths) throws -> DecoderGenotype? {
    guard let json = optionalContents(of: paths.genotype, limit: Genotype.maximumBytes),
        DecoderGenotype.isKind(of: json)
    else { return nil }
    return try DecoderGenotype(json: json, source: paths.genotype)
}
