import CTorch

extension Tensor {
    /// The same elements under another shape; one size may be -1.
    public func reshape(_ shape: [Int]) -> Tensor {
        Tensor.make("reshape", self) { ct_reshape(handle, shape.wide, Int64(shape.count), $0) }
    }
    /// Repeats dimensions of size 1 without copying; -1 keeps a size.
    public func expand(_ shape: [Int]) -> Tensor {
        Tensor.make("expand", self) { ct_expand(handle, shape.wide, Int64(shape.count), $0) }
    }
    /// Dimensions in another order.
    public func permute(_ dims: [Int]) -> Tensor {
        Tensor.make("permute", self) { ct_permute(handle, dims.wide, Int64(dims.count), $0) }
    }
    /// Two dimensions exchanged.
    public func transpose(_ a: Int, _ b: Int) -> Tensor {
        Tensor.make("transpose", self) { ct_transpose(handle, Int64(a), Int64(b), $0) }
    }
    /// A new dimension of size 1.
    public func unsqueeze(_ dim: Int) -> Tensor {
        Tensor.make("unsqueeze", self) { ct_unsqueeze(handle, Int64(dim), $0) }
    }
    /// A dimension of size 1 removed.
    public func squeeze(_ dim: Int) -> Tensor { Tensor.make("squeeze", self) { ct_squeeze(handle, Int64(dim), $0) } }
    /// A range of one dimension.
    public func narrow(_ dim: Int, start: Int, length: Int) -> Tensor {
        Tensor.make("narrow", self) { ct_narrow(handle, Int64(dim), Int64(start), Int64(length), $0) }
    }
    /// One index of a dimension, which disappears.
    public func select(_ dim: Int, _ index: Int) -> Tensor {
        Tensor.make("select", self) { ct_select(handle, Int64(dim), Int64(index), $0) }
    }
    /// Chosen indices of a dimension, in the order given.
    public func indexSelect(_ dim: Int, _ indices: [Int]) -> Tensor {
        indexSelect(dim, Tensor(indices.wide, shape: [indices.count], device: device))
    }
    /// Chosen indices of a dimension, in the order given (64-bit integers on this tensor's device).
    public func indexSelect(_ dim: Int, _ indices: Tensor) -> Tensor {
        Tensor.make("indexSelect", self, indices) { ct_index_select(handle, Int64(dim), indices.handle, $0) }
    }
    /// Dimensions turned round.
    public func flip(_ dims: [Int]) -> Tensor {
        Tensor.make("flip", self) { ct_flip(handle, dims.wide, Int64(dims.count), $0) }
    }
    /// Every element of a dimension several times in a row.
    public func repeatInterleave(_ times: Int, dim: Int) -> Tensor {
        Tensor.make("repeatInterleave", self) { ct_repeat_interleave(handle, Int64(times), Int64(dim), $0) }
    }
    /// Constant padding: pairs (before, after) from the last dimension on.
    public func pad(_ pads: [Int], value: Double = 0) -> Tensor {
        Tensor.make("pad", self) { ct_pad(handle, pads.wide, Int64(pads.count), value, $0) }
    }
}

/// Joins tensors along a dimension that they have.
public func concatenate(_ tensors: [Tensor], dim: Int) -> Tensor {
    Tensor.make("concatenate") { out in
        withHandles(tensors) { ct_cat($0, Int64($0.count), Int64(dim), out) }
    }
}

/// Joins tensors of equal shapes along a new dimension.
public func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
    Tensor.make("stack") { out in
        withHandles(tensors) { ct_stack($0, Int64($0.count), Int64(dim), out) }
    }
}
