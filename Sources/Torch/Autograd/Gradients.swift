import CTorch

extension Tensor {
    /// Whether gradients of this tensor are wanted.
    public var requiresGrad: Bool {
        get { ct_requires_grad(handle) }
        set { Engine.run("requiresGrad", ct_set_requires_grad(handle, newValue), summary) }
    }

    /// What ``backward()`` added up so far.
    public var grad: Tensor? {
        var out: ct_optional_tensor?
        Engine.run("grad", ct_grad(handle, &out))
        return out.map(Tensor.init(owning:))
    }

    /// Forgets what ``backward()`` added up.
    public func zeroGrad() { Engine.run("zeroGrad", ct_zero_grad(handle)) }

    /// Adds the gradients of this scalar to every leaf that it depends on.
    public func backward() { Engine.run("backward", ct_backward(handle), summary) }

    /// The same numbers outside the graph of gradients.
    public func detach() -> Tensor { Tensor.make("detach", self) { ct_detach(handle, $0) } }
}

/// Gradients of a scalar with respect to chosen tensors, and of nothing else; nil where it does not depend on one.
///
/// The graph is freed on the way.
public func gradients(of loss: Tensor, withRespectTo inputs: [Tensor]) -> [Tensor?] {
    var out = [ct_optional_tensor?](repeating: nil, count: inputs.count)
    let status = withExtendedLifetime(loss) {
        withHandles(inputs) { ct_gradients([loss.handle], nil, 1, $0, Int64($0.count), &out) }
    }
    Engine.run("gradients", status, loss.summary)
    return out.map { $0.map(Tensor.init(owning:)) }
}

/// Runs a closure whose convolutions and matrix products compute in bfloat16 on a device; all variables stay as they
/// are, and so do gradients.
///
/// The mode belongs to the thread, so the closure cannot suspend.
public func withBFloat16<Result>(_ enabled: Bool, on device: Device, _ body: () throws -> Result) rethrows -> Result {
    guard enabled else { return try body() }
    let kind = device.kind.code
    let before = ct_is_autocast_enabled(kind)
    ct_set_autocast_enabled(kind, true)
    defer { ct_set_autocast_enabled(kind, before) }
    return try body()
}

/// Whether operations on a device are computed in bfloat16 here, inside ``withBFloat16(_:on:_:)``.
package func isBFloat16(on device: Device) -> Bool { ct_is_autocast_enabled(device.kind.code) }

/// Runs a closure without recording a graph.
///
/// The mode belongs to the thread, so the closure cannot suspend.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_is_grad_enabled()
    ct_set_grad_enabled(false)
    defer { ct_set_grad_enabled(before) }
    return try body()
}
