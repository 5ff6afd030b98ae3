import CTorch

/// A stream of random numbers that is the same on every device, and whose state can be saved.
public final class Generator {
    let handle: ct_generator

    /// Starts a stream.
    public init(seed: UInt64) {
        var out: ct_generator?
        Engine.run("generator", ct_generator_new(seed, &out))
        guard let out else { preconditionFailure("generator: the engine gave nothing") }
        handle = out
    }

    deinit {
        ct_generator_free(handle)
    }

    /// Everything needed to go on with the stream, as bytes.
    public var state: Tensor { Tensor.make("generator") { ct_generator_get_state(handle, $0) } }

    /// Goes on where a saved stream was.
    ///
    /// - Throws: ``TorchError`` if the bytes are no generator's state.
    public func restore(state: Tensor) throws {
        guard ct_generator_set_state(handle, state.handle) == CT_OK else {
            throw TorchError("random state: \(Engine.lastError)")
        }
    }
}

extension Tensor {
    /// Uniform random numbers in `[from, to)`.
    public static func uniform(
        _ shape: [Int], from: Double = 0, to: Double = 1, generator: Generator, dtype: DType = .float32,
        device: Device = .cpu
    ) -> Tensor {
        let result = zeros(shape, dtype: dtype, device: device)
        Engine.run("uniform", ct_uniform_in_place(result.handle, from, to, generator.handle))
        return result
    }

    /// Normally distributed random numbers.
    public static func normal(
        _ shape: [Int], mean: Double = 0, deviation: Double = 1, generator: Generator, dtype: DType = .float32,
        device: Device = .cpu
    ) -> Tensor {
        let result = zeros(shape, dtype: dtype, device: device)
        Engine.run("normal", ct_normal_in_place(result.handle, mean, deviation, generator.handle))
        return result
    }

    /// Ones with a probability, else zeros.
    public static func bernoulli(
        _ shape: [Int], probability: Double, generator: Generator, dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        let result = zeros(shape, dtype: dtype, device: device)
        Engine.run("bernoulli", ct_bernoulli_in_place(result.handle, probability, generator.handle))
        return result
    }
}
