/// How a variable's first values are drawn.
public enum Initializer: Sendable, Hashable {
    /// All zero.
    case zeros
    /// All one.
    case ones
    /// Uniform within ±1 / sqrt(fan in), fan in = C / groups × K × K.
    case uniformFanIn
    /// Uniform within ±sqrt(6 / (fan in + fan out)).
    case glorotUniform
    /// Normal with this deviation, drawn again where beyond two deviations.
    case truncatedNormal(Double)
    /// Normal with this deviation.
    case normal(Double)
    /// Uniform within plus and minus this bound.
    case uniform(Double)

    /// Draws values for a tensor; the leading two sizes are outputs and inputs, the rest the kernel.
    func draw(_ shape: [Int], generator: Generator, dtype: DType, device: Device) -> Tensor {
        let kernel = shape.dropFirst(2).reduce(1, *)
        let fanIn = Double(shape.count > 1 ? shape[1] * kernel : shape.first ?? 1)
        let fanOut = Double((shape.first ?? 1) * kernel)
        func uniform(_ bound: Double) -> Tensor {
            .uniform(shape, from: -bound, to: bound, generator: generator, dtype: dtype, device: device)
        }
        switch self {
        case .zeros: return .zeros(shape, dtype: dtype, device: device)
        case .ones: return .ones(shape, dtype: dtype, device: device)
        case .uniform(let bound): return uniform(bound)
        case .uniformFanIn: return uniform(1 / fanIn.squareRoot())
        case .glorotUniform: return uniform((6 / (fanIn + fanOut)).squareRoot())
        case .normal(let deviation):
            return .normal(shape, deviation: deviation, generator: generator, dtype: dtype, device: device)
        case .truncatedNormal(let deviation):
            return truncatedNormal(shape, deviation: deviation, generator: generator, dtype: dtype, device: device)
        }
    }

    private func truncatedNormal(
        _ shape: [Int], deviation: Double, generator: Generator, dtype: DType, device: Device
    ) -> Tensor {
        func draw() -> Tensor { .normal(shape, deviation: deviation, generator: generator, dtype: dtype) }
        var values = draw()
        // One value in twenty-two lies outside; a few rounds replace them all.
        while true {
            let inside = values.abs().isLess(than: 2 * deviation)
            if inside.to(.int64).sum().item() == Double(values.count) { return values.to(device) }
            values = inside.choose(values, else: draw())
        }
    }
}
