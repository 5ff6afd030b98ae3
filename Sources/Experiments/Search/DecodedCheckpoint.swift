import Foundation
import SearchSpace
import Torch

/// The strongest discrete network of a search's checkpoint (paper 4.3).
///
/// - Parameter argument: A search's run folder or one of its checkpoints.
/// - Returns: The genotype.
/// - Throws: One line about a file that is missing or not of a search.
public func decodeCheckpoint(_ argument: String) throws -> Genotype {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
        throw RunError(.missing, path: argument, "no such run or checkpoint")
    }
    if !isFolder.boolValue { return try architecture(ofCheckpoint: argument).genotype }
    let stored = RunPaths(folder: argument)
    // A search may be writing here: what cannot be read is passed over, and not touched.
    guard let found = try CheckpointFolder.newest(in: stored, requiresDigest: false) else {
        throw RunError(.missing, path: argument, "there is no checkpoint in this folder yet")
    }
    return try architecture(of: found.checkpoint, at: found.path).genotype
}

/// Alpha and beta of a search's checkpoint, softmaxed, and the strongest network.
func architecture(
    ofCheckpoint path: String
) throws -> (genotype: Genotype, alpha: [[Double]], beta: [Double]) {
    try architecture(of: Checkpoint(at: path, requiresDigest: false), at: path)
}

private func architecture(
    of checkpoint: Checkpoint, at path: String
) throws -> (genotype: Genotype, alpha: [[Double]], beta: [Double]) {
    let network = try checkpoint.section("network", in: path)
    let layers = try checkpoint.value("layers", as: Int.self, in: path)
    let blocks = try checkpoint.value("blocks", as: Int.self, in: path)
    guard (2...Genotype.maximumLayers).contains(layers), (1...Genotype.maximumBlocks).contains(blocks) else {
        throw RunError(.damaged, path: path, "\(layers) layers of \(blocks) blocks: no search has such a network")
    }
    let space = NetworkSpace(layers: layers)
    let cells = CellSpace(blocks: blocks)
    guard let alpha = network["architecture.alpha"]?.doubles(), let beta = network["architecture.beta"]?.doubles(),
        alpha.count == cells.edges.count * SearchSpace.Operator.allCases.count, beta.count == space.arrows.count
    else { throw RunError(.damaged, path: path, "alpha and beta are missing or of another size") }
    guard (alpha + beta).allSatisfy(\.isFinite) else {
        throw RunError(.damaged, path: path, "alpha or beta hold what is not a number: take an older checkpoint")
    }
    let width = SearchSpace.Operator.allCases.count
    let rows = cells.probabilities(alpha: cells.edges.indices.map { Array(alpha[$0 * width..<($0 + 1) * width]) })
    let outgoing = space.outgoing(beta: beta)
    let genotype = Genotype(
        path: decodePath(outgoing: outgoing, space: space), cell: decodeCell(alpha: rows, space: cells),
        atrous: atrous(of: network))
    return (genotype, rows, outgoing)
}

/// How a supernet's atrous operators convolve: separable ones have depthwise kernels.
private func atrous(of network: [String: Tensor]) -> AtrousKind {
    let isSeparable = network.keys.contains { name in
        name.hasSuffix(".depthwise")
            && SearchSpace.Operator.allCases.contains { $0.isAtrous && name.contains(".\($0.rawValue).") }
    }
    return isSeparable ? .separable : .dense
}
