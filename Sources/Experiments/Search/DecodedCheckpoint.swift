import Foundation
import Runs
import SearchSpace
import Torch

/// The strongest discrete network of a search's checkpoint (paper 4.3).
///
/// - Parameters:
///   - argument: A search's run folder or one of its checkpoints.
///   - path: What the arrows of its path are weighed by; nil for what the search was configured with.
/// - Returns: The genotype.
/// - Throws: One line about a file that is missing or not of a search.
public func decodeCheckpoint(_ argument: String, path: PathDecoding? = nil) throws -> Genotype {
    let (genotype, table) = try architectureOfSearch(argument)
    guard let path else { return genotype }
    var result = genotype
    let space = NetworkSpace(layers: genotype.layers)
    result.path = decodePath(outgoing: table.arrows, space: space, by: path)
    result.skips =
        table.gates.map { space.longSkips(along: result.path, gates: $0) }
        ?? Array(repeating: nil, count: result.layers)
    return result
}

private func architectureOfSearch(_ argument: String) throws -> (genotype: Genotype, table: ArchitectureTable) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
        throw RunError(.missing, path: argument, "no such run or checkpoint")
    }
    if !isFolder.boolValue { return try architecture(ofCheckpoint: argument) }
    let stored = RunPaths(folder: argument)
    // A search may be writing here: what cannot be read is passed over, and not touched.
    guard let found = try CheckpointFolder.newest(in: stored, requiresDigest: false) else {
        throw RunError(.missing, path: argument, "there is no checkpoint in this folder yet")
    }
    return try architecture(of: found.checkpoint, at: found.path)
}

/// The strongest network of a search's checkpoint, and how strongly its operators and arrows count.
func architecture(ofCheckpoint path: String) throws -> (genotype: Genotype, table: ArchitectureTable) {
    try architecture(of: Checkpoint(at: path, requiresDigest: false), at: path)
}

private func architecture(
    of checkpoint: Checkpoint, at path: String
) throws -> (genotype: Genotype, table: ArchitectureTable) {
    let damaged = RunError(
        .damaged, path: path,
        "has no architecture that can be read: it is no search's, of an older version, or alpha and beta are no numbers"
    )
    guard let text = checkpoint.metadata["genotype"] else { throw damaged }
    let genotype = try Genotype(json: Data(text.utf8), source: path)
    let table = try checkpoint.value("architecture", as: ArchitectureTable.self, in: path)
    guard table.fits(genotype) else { throw damaged }
    return (genotype, table)
}
