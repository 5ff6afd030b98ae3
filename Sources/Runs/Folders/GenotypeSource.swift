import Foundation
import SearchSpace
import Torch

/// The architecture that an argument names.
///
/// That is a known network (`deeplabv3`, or `deeplabv3:8` with 8 layers), a genotype file, or a run folder with one in it.
/// An encoder's stem and a plus sign before it (`efficientnet-lite0@4+deeplabv3:8`) put it on that stem.
///
/// - Parameter argument: The name or path.
/// - Returns: A valid genotype.
/// - Throws: ``RunError`` where there is nothing of that name, `FileError` where it cannot be read, `SearchSpaceError` where the file is not a genotype, or one of a network on another encoder.
public func loadGenotype(_ argument: String) throws -> Genotype {
    if let (stem, network) = try StemKind.split(argument) {
        let genotype = try loadGenotype(network)
        guard [.paper, stem].contains(genotype.stem) else {
            throw SearchSpaceError(
                source: network, location: "stem",
                problem: "the network begins on \(genotype.stem.rawValue), not on \(stem.rawValue): leave that out")
        }
        return genotype.on(stem)
    }
    if let genotype = try KnownDesign.genotype(named: argument) { return genotype }
    let (json, path) = try genotypeFile(argument, kind: "network", known: KnownDesign.allCases.map(\.rawValue))
    return try Genotype(json: json, source: path)
}

/// The decoder that an argument names: one with a name (`light`, `nekrasov:arch0`), a genotype's numbers as
/// `DecoderGenotype.name` has them, a file with a decoder's genotype, or the folder of a search that found one.
///
/// - Parameter argument: The name or path.
/// - Returns: The decoder.
/// - Throws: ``RunError`` where there is nothing of that name, `FileError` where it cannot be read, `SearchSpaceError` where it is no decoder's genotype.
public func loadDecoder(_ argument: String) throws -> DecoderKind {
    if let decoder = DecoderKind(rawValue: argument) { return decoder }
    if let genotype = try DecoderGenotype.named(argument) { return .searched(genotype) }
    let (json, path) = try genotypeFile(argument, kind: "decoder", known: DecoderKind.allCases.map(\.rawValue))
    return .searched(try DecoderGenotype(json: json, source: path))
}

/// A genotype's file, by its path or that of a run's folder; what is there under neither might have been a known name.
private func genotypeFile(_ argument: String, kind: String, known names: [String]) throws -> (json: Data, path: String)
{
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
        let hint = nearest(to: argument, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw RunError(
            .missing, path: argument,
            "neither a file nor a known \(kind)\(hint) (known: \(names.joined(separator: ", ")))")
    }
    let path = isFolder.boolValue ? RunPaths(folder: argument).genotype : argument
    if isFolder.boolValue, !FileManager.default.fileExists(atPath: path) {
        throw RunError(.missing, path: path, "there is no genotype in this folder yet")
    }
    return (try boundedContents(of: path, limit: Genotype.maximumBytes), path)
}
