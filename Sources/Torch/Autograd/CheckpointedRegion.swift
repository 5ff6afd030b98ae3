import CTorch

/// A region of computation with an autograd graph of its own, which may run in another thread and be recomputed in the
/// backward pass (activation checkpointing).
public struct CheckpointedRegion {
    /// Tensors that the region reads and that may carry gradients.
    public let inputs: [Tensor]
    /// Leaves that the region reads besides; their gradients arrive as usual.
    public let parameters: [Tensor]
    /// Number of tensors that the region returns.
    public let outputCount: Int
    /// The computation.
    ///
    /// `isRecomputing` is true in the second run: running statistics must not be updated then, and random numbers must be
    /// those of the first run.
    public let body: (_ inputs: [Tensor], _ isRecomputing: Bool) -> [Tensor]

    /// A region; `body` may touch nothing that another region of the same call touches.
    public init(
        inputs: [Tensor], parameters: [Tensor], outputCount: Int = 1,
        body: @escaping (_ inputs: [Tensor], _ isRecomputing: Bool) -> [Tensor]
    ) {
        self.inputs = inputs
        self.parameters = parameters
        self.outputCount = outputCount
        self.body = body
    }
}

/// Runs independent regions in parallel on `workers` threads.
///
/// The result does not depend on `workers`: every region is computed by one thread, and gradients that several
/// regions give to one tensor are added in the order of the regions.
///
/// - Parameters:
///   - regions: What to run.
///   - recomputes: Whether to keep none of the regions' inner graphs and run each once more in the backward pass.
///   - workers: Threads; 0 runs all in the caller's thread, which leaves the threads to regions inside. On a GPU it is 0.
/// - Returns: The outputs of each region.
public func runRegions(_ regions: [CheckpointedRegion], recomputes: Bool, workers: Int) -> [[Tensor]] {
    let inputHandles = regions.map { $0.inputs.map { $0.handle as ct_optional_tensor? } }
    let parameterHandles = regions.map { $0.parameters.map { $0.handle as ct_optional_tensor? } }
    let outputCount = regions.reduce(0) { $0 + $1.outputCount }
    var out = [ct_optional_tensor?](repeating: nil, count: outputCount)
    let status = withExtendedLifetime(regions) {
        withPointers(to: inputHandles) { inputs in
            withPointers(to: parameterHandles) { parameters in
                let descriptions = regions.indices.map { index in
                    ct_checkpointed_region(
                        body: runBody, release: releaseBody,
                        context: Unmanaged.passRetained(RegionContext(regions[index].body)).toOpaque(),
                        inputs: inputs[index], input_count: Int64(regions[index].inputs.count),
                        parameters: parameters[index], parameter_count: Int64(regions[index].parameters.count),
                        output_count: Int64(regions[index].outputCount))
                }
                return ct_run_regions(descriptions, Int64(regions.count), !recomputes, Int32(workers), &out)
            }
        }
    }
    Engine.run("regions", status)
    var tensors = out.map { handle in
        guard let handle else { preconditionFailure("regions: the engine gave nothing") }
        return Tensor(owning: handle)
    }[...]
    return regions.map { region in
        defer { tensors = tensors.dropFirst(region.outputCount) }
        return Array(tensors.prefix(region.outputCount))
    }
}

/// Keeps a region's Swift closure alive for as long as the engine may run it.
private final class RegionContext {
    let body: ([Tensor], Bool) -> [Tensor]

    init(_ body: @escaping ([Tensor], Bool) -> [Tensor]) {
        self.body = body
    }
}

private func runBody(
    context: UnsafeMutableRawPointer, inputs: UnsafePointer<ct_optional_tensor?>, inputCount: Int64,
    outputs: UnsafeMutablePointer<ct_optional_tensor?>, outputCount: Int64, isRecomputing: Bool
) -> Int32 {
    let region = Unmanaged<RegionContext>.fromOpaque(context).takeUnretainedValue()
    let lent = (0..<Int(inputCount)).compactMap { index in inputs[index].map(Tensor.alias(of:)) }
    let results = region.body(lent, isRecomputing)
    guard results.count == Int(outputCount) else { return Int32(CT_ERROR) }
    for (index, result) in results.enumerated() { outputs[index] = result.newHandle() }
    return Int32(CT_OK)
}

private func releaseBody(context: UnsafeMutableRawPointer) {
    Unmanaged<RegionContext>.fromOpaque(context).release()
}

/// Lends several lists as C arrays for the length of a call.
private func withPointers<Result>(
    to lists: [[ct_optional_tensor?]], _ body: ([UnsafePointer<ct_optional_tensor?>]) -> Result
) -> Result {
    let buffers = lists.map { list in
        let buffer = UnsafeMutablePointer<ct_optional_tensor?>.allocate(capacity: Swift.max(list.count, 1))
        buffer.initialize(from: list, count: list.count)
        return buffer
    }
    defer { buffers.forEach { $0.deallocate() } }
    return body(buffers.map { UnsafePointer($0) })
}

extension Tensor {
    fileprivate static func alias(of handle: ct_tensor) -> Tensor {
        Tensor.make("alias") { ct_alias(handle, $0) }
    }

    fileprivate func newHandle() -> ct_tensor? {
        var out: ct_optional_tensor?
        Engine.run("alias", ct_alias(handle, &out))
        return out
    }
}
