import CTorch

/// The common Euclidean norm of gradients as a scalar on their device; nothing is waited for.
///
/// It is finite only where every gradient is.
public func totalNorm(of gradients: [Tensor?]) -> Tensor {
    let present = gradients.compactMap { $0 }
    guard !present.isEmpty else { return .zeros([]) }
    return Tensor.make("totalNorm") { out in withHandles(present) { ct_total_norm($0, Int64($0.count), out) } }
}

/// Scales gradients of a known common norm down together so that it is at most `limit`.
public func clipGradients(_ gradients: [Tensor?], norm: Double, to limit: Double) {
    let present = gradients.compactMap { $0 }
    guard norm > limit, !present.isEmpty else { return }
    withHandles(present) { Engine.run("clipGradients", ct_scale_all($0, Int64($0.count), limit / norm)) }
}
