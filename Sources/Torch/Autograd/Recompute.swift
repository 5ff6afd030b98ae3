import CTorch

/// Keeps a recomputed block's Swift closure alive for as long as the engine may run it.
private final class BlockContext {
    let body: ([Tensor], Bool) -> [Tensor]

    init(_ body: @escaping ([Tensor], Bool) -> [Tensor]) {
        self.body = body
    }
}

/// Runs a block of arithmetic without keeping what is inside it; the backward pass runs it once more.
///
/// - Parameters:
///   - inputs: Tensors that the block reads and that may carry gradients.
///   - parameters: Leaves that the block reads besides; their gradients arrive as usual.
///   - outputs: Number of tensors that the block gives.
///   - body: The block. Its second argument is true in the second run: running statistics must not move again, and
///     random numbers must be those of the first run.
/// - Returns: What the block gives.
public func recompute(
    _ inputs: [Tensor], parameters: [Tensor], outputs: Int,
    body: @escaping (_ inputs: [Tensor], _ again: Bool) -> [Tensor]
) -> [Tensor] {
    let context = Unmanaged.passRetained(BlockContext(body)).toOpaque()
    var out = [ct_optional_tensor?](repeating: nil, count: outputs)
    let status = withHandles(inputs) { inputHandles in
        withHandles(parameters) { parameterHandles in
            ct_recompute(
                { context, inputs, inputCount, outputs, outputCount, again in
                    let block = Unmanaged<BlockContext>.fromOpaque(context).takeUnretainedValue()
                    let lent = (0..<Int(inputCount)).compactMap { index in inputs[index].map(Tensor.alias(of:)) }
                    let results = block.body(lent, again)
                    guard results.count == Int(outputCount) else { return Int32(CT_ERROR) }
                    for (index, result) in results.enumerated() {
                        outputs[index] = result.newHandle()
                    }
                    return Int32(CT_OK)
                },
                { Unmanaged<BlockContext>.fromOpaque($0).release() },
                context, inputHandles, Int64(inputHandles.count), parameterHandles, Int64(parameterHandles.count),
                &out, Int64(outputs))
        }
    }
    Engine.run("recompute", status)
    return out.map { handle in
        guard let handle else { preconditionFailure("recompute: the engine gave nothing") }
        return Tensor(owning: handle)
    }
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
