import Torch

/// Runs one region, which the backward pass runs once more.
func recompute(
    _ inputs: [Tensor], parameters: [Tensor], outputs: Int,
    body: @escaping (_ inputs: [Tensor], _ isRecomputing: Bool) -> [Tensor]
) -> [Tensor] {
    let region = CheckpointedRegion(inputs: inputs, parameters: parameters, outputCount: outputs, body: body)
    return runRegions([region], recomputes: true, workers: 1)[0]
}
