import CTorch

extension Tensor {
    /// Element by element, with the engine's broadcasting.
    public static func + (a: Tensor, b: Tensor) -> Tensor { make("+", a, b) { ct_add(a.handle, b.handle, $0) } }
    /// Element by element, with the engine's broadcasting.
    public static func - (a: Tensor, b: Tensor) -> Tensor { make("-", a, b) { ct_sub(a.handle, b.handle, $0) } }
    /// Element by element, with the engine's broadcasting.
    public static func * (a: Tensor, b: Tensor) -> Tensor { make("*", a, b) { ct_mul(a.handle, b.handle, $0) } }
    /// Element by element, with the engine's broadcasting.
    public static func / (a: Tensor, b: Tensor) -> Tensor { make("/", a, b) { ct_div(a.handle, b.handle, $0) } }
    /// Adds a number to every element.
    public static func + (a: Tensor, b: Double) -> Tensor { make("+", a) { ct_add_scalar(a.handle, b, $0) } }
    /// Subtracts a number from every element.
    public static func - (a: Tensor, b: Double) -> Tensor { make("-", a) { ct_add_scalar(a.handle, -b, $0) } }
    /// Multiplies every element.
    public static func * (a: Tensor, b: Double) -> Tensor { make("*", a) { ct_mul_scalar(a.handle, b, $0) } }
    /// Divides every element.
    public static func / (a: Tensor, b: Double) -> Tensor { make("/", a) { ct_mul_scalar(a.handle, 1 / b, $0) } }
    /// A number minus every element.
    public static func - (a: Double, b: Tensor) -> Tensor { make("-", b) { ct_rsub_scalar(b.handle, a, $0) } }
    /// Multiplies every element.
    public static func * (a: Double, b: Tensor) -> Tensor { b * a }
    /// A number divided by every element.
    public static func / (a: Double, b: Tensor) -> Tensor { make("/", b) { ct_rdiv_scalar(b.handle, a, $0) } }
    /// Changes every element's sign.
    public static prefix func - (a: Tensor) -> Tensor { make("-", a) { ct_neg(a.handle, $0) } }

    /// e to the power of every element.
    public func exp() -> Tensor { Tensor.make("exp", self) { ct_exp(handle, $0) } }
    /// Natural logarithm of every element.
    public func log() -> Tensor { Tensor.make("log", self) { ct_log(handle, $0) } }
    /// Square root of every element.
    public func sqrt() -> Tensor { Tensor.make("sqrt", self) { ct_sqrt(handle, $0) } }
    /// Absolute value of every element.
    public func abs() -> Tensor { Tensor.make("abs", self) { ct_abs(handle, $0) } }
    /// Every element to a power.
    public func pow(_ exponent: Double) -> Tensor {
        Tensor.make("pow", self) { ct_pow_scalar(handle, exponent, $0) }
    }
    /// The larger of zero and every element.
    public func relu() -> Tensor { Tensor.make("relu", self) { ct_relu(handle, $0) } }
    /// Every element, brought between 0 and 6.
    public func relu6() -> Tensor { Tensor.make("relu6", self) { ct_relu6(handle, $0) } }
    /// Logistic function of every element.
    public func sigmoid() -> Tensor { Tensor.make("sigmoid", self) { ct_sigmoid(handle, $0) } }
    /// Largest integer not above every element.
    public func floor() -> Tensor { Tensor.make("floor", self) { ct_floor(handle, $0) } }
    /// Whether each element is a number and not infinite.
    public func isFinite() -> Tensor { Tensor.make("isFinite", self) { ct_isfinite(handle, $0) } }
    /// Whether all elements are numbers and none is infinite; waits for the device.
    public var isAllFinite: Bool { isFinite().equals(0).sum().item() == 0 }
    /// The larger of two, element by element.
    public func maximum(_ other: Tensor) -> Tensor {
        Tensor.make("maximum", self, other) { ct_maximum(handle, other.handle, $0) }
    }
    /// Whether each element equals a number.
    public func equals(_ value: Double) -> Tensor { Tensor.make("equals", self) { ct_eq_scalar(handle, value, $0) } }
    /// Whether each element lies below a number.
    public func isLess(than value: Double) -> Tensor {
        Tensor.make("isLess", self) { ct_lt_scalar(handle, value, $0) }
    }
    /// Where `self` (of booleans) holds, `a`, elsewhere `b`.
    public func choose(_ a: Tensor, else b: Tensor) -> Tensor {
        Tensor.make("choose", self, a, b) { ct_where(handle, a.handle, b.handle, $0) }
    }

    /// Sum of all elements.
    public func sum() -> Tensor { Tensor.make("sum", self) { ct_sum(handle, nil, 0, false, $0) } }
    /// Sum over some dimensions.
    public func sum(_ dims: [Int], keep: Bool = false) -> Tensor {
        Tensor.make("sum", self) { ct_sum(handle, dims.wide, Int64(dims.count), keep, $0) }
    }
    /// Mean of all elements.
    public func mean() -> Tensor { Tensor.make("mean", self) { ct_mean(handle, nil, 0, false, $0) } }
    /// Mean over some dimensions.
    public func mean(_ dims: [Int], keep: Bool = false) -> Tensor {
        Tensor.make("mean", self) { ct_mean(handle, dims.wide, Int64(dims.count), keep, $0) }
    }
    /// Largest element along a dimension.
    public func max(_ dim: Int, keep: Bool = false) -> Tensor {
        Tensor.make("max", self) { ct_amax(handle, Int64(dim), keep, $0) }
    }
    /// Index of the largest element along a dimension, the first of equals, as 64-bit integers.
    public func argmax(_ dim: Int) -> Tensor { Tensor.make("argmax", self) { ct_argmax(handle, Int64(dim), $0) } }
    /// Softmax along a dimension.
    public func softmax(_ dim: Int) -> Tensor { Tensor.make("softmax", self) { ct_softmax(handle, Int64(dim), $0) } }
    /// Logarithm of the softmax along a dimension.
    public func logSoftmax(_ dim: Int) -> Tensor {
        Tensor.make("logSoftmax", self) { ct_log_softmax(handle, Int64(dim), $0) }
    }
    /// Matrix product.
    public func matmul(_ other: Tensor) -> Tensor {
        Tensor.make("matmul", self, other) { ct_matmul(handle, other.handle, $0) }
    }

    // MARK: In place

    /// Adds `scale` times another tensor to this one's own memory.
    public func add(_ other: Tensor, scaled scale: Double = 1) {
        Engine.run("add", ct_add_in_place(handle, other.handle, scale), summary)
    }
    /// Multiplies this tensor's own memory.
    public func scale(by factor: Double) { Engine.run("scale", ct_mul_in_place(handle, factor), summary) }
    /// ReLU on this tensor's own memory.
    public func reluInPlace() { Engine.run("reluInPlace", ct_relu_in_place(handle), summary) }
    /// ReLU6 on this tensor's own memory.
    public func relu6InPlace() { Engine.run("relu6InPlace", ct_relu6_in_place(handle), summary) }
    /// Fills this tensor's own memory.
    public func fill(_ value: Double) { Engine.run("fill", ct_fill_in_place(handle, value), summary) }
    /// Overwrites this tensor's own memory by another's numbers.
    public func copy(from other: Tensor) { Engine.run("copy", ct_copy_in_place(handle, other.handle), summary) }
}
