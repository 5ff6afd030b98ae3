import CTorch

/// A block of arithmetic with a graph of its own, run in another thread or a second time.
public struct GraphBlock {
    /// Tensors that the block reads and that may carry gradients.
    public let inputs: [Tensor]
    /// Leaves that the block reads besides; their gradients arrive as usual.
    public let parameters: [Tensor]
    /// Number of tensors that the block gives.
    public let outputCount: Int
    /// The arithmetic.
    ///
    /// Its second argument is true in a second run: running statistics must not move again, and random
    /// numbers must be those of the first run.
    public let body: (_ inputs: [Tensor], _ again: Bool) -> [Tensor]

    /// A block; `body` may touch nothing that another block of the same call touches.
    public init(
        inputs: [Tensor], parameters: [Tensor], outputCount: Int = 1,
        body: @escaping (_ inputs: [Tensor], _ again: Bool) -> [Tensor]
    ) {
        self.inputs = inputs
        self.parameters = parameters
        self.outputCount = outputCount
        self.body = body
    }
}

/// Runs blocks that do not depend on each other, side by side on `workers` threads.
///
/// The result does not depend on `workers`: every block is computed by one thread, and gradients that several blocks
/// give to one tensor are added in the blocks' order.
///
/// - Parameters:
///   - blocks: What to run.
///   - recomputes: Whether to keep nothing of the blocks' insides and run each once more in the backward pass.
///   - workers: Threads; 0 runs all in the caller's, so that blocks inside them find the threads free. On a GPU it is 0.
/// - Returns: The outputs of each block.
public func runBlocks(_ blocks: [GraphBlock], recomputes: Bool, workers: Int) -> [[Tensor]] {
    let inputHandles = blocks.map { $0.inputs.map { $0.handle as ct_optional_tensor? } }
    let parameterHandles = blocks.map { $0.parameters.map { $0.handle as ct_optional_tensor? } }
    let outputCount = blocks.reduce(0) { $0 + $1.outputCount }
    var out = [ct_optional_tensor?](repeating: nil, count: outputCount)
    let status = withExtendedLifetime(blocks) {
        withPointers(to: inputHandles) { inputs in
            withPointers(to: parameterHandles) { parameters in
                let descriptions = blocks.indices.map { index in
                    ct_block(
                        body: runBody, release: releaseBody,
                        context: Unmanaged.passRetained(BlockContext(blocks[index].body)).toOpaque(),
                        inputs: inputs[index], input_count: Int64(blocks[index].inputs.count),
                        parameters: parameters[index], parameter_count: Int64(blocks[index].parameters.count),
                        output_count: Int64(blocks[index].outputCount))
                }
                return ct_run_blocks(descriptions, Int64(blocks.count), !recomputes, Int32(workers), &out)
            }
        }
    }
    Engine.run("blocks", status)
    var tensors = out.map { handle in
        guard let handle else { preconditionFailure("blocks: the engine gave nothing") }
        return Tensor(owning: handle)
    }[...]
    return blocks.map { block in
        defer { tensors = tensors.dropFirst(block.outputCount) }
        return Array(tensors.prefix(block.outputCount))
    }
}

/// Runs one block without keeping what is inside it; the backward pass runs it once more.
///
/// - Parameters:
///   - inputs: Tensors that the block reads and that may carry gradients.
///   - parameters: Leaves that the block reads besides.
///   - outputs: Number of tensors that the block gives.
///   - body: The arithmetic; its second argument is true in the second run.
/// - Returns: What the block gives.
public func recompute(
    _ inputs: [Tensor], parameters: [Tensor], outputs: Int,
    body: @escaping (_ inputs: [Tensor], _ again: Bool) -> [Tensor]
) -> [Tensor] {
    let block = GraphBlock(inputs: inputs, parameters: parameters, outputCount: outputs, body: body)
    return runBlocks([block], recomputes: true, workers: 1)[0]
}

/// Keeps a block's Swift closure alive for as long as the engine may run it.
private final class BlockContext {
    let body: ([Tensor], Bool) -> [Tensor]

    init(_ body: @escaping ([Tensor], Bool) -> [Tensor]) {
        self.body = body
    }
}

private func runBody(
    context: UnsafeMutableRawPointer, inputs: UnsafePointer<ct_optional_tensor?>, inputCount: Int64,
    outputs: UnsafeMutablePointer<ct_optional_tensor?>, outputCount: Int64, again: Bool
) -> Int32 {
    let block = Unmanaged<BlockContext>.fromOpaque(context).takeUnretainedValue()
    let lent = (0..<Int(inputCount)).compactMap { index in inputs[index].map(Tensor.alias(of:)) }
    let results = block.body(lent, again)
    guard results.count == Int(outputCount) else { return Int32(CT_ERROR) }
    for (index, result) in results.enumerated() { outputs[index] = result.newHandle() }
    return Int32(CT_OK)
}

private func releaseBody(context: UnsafeMutableRawPointer) {
    Unmanaged<BlockContext>.fromOpaque(context).release()
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
