import Torch

/// Compares the gradients of `body` (to any tensor) with finite differences in float64, for every element.
func gradientError(_ inputs: [Tensor], _ body: ([Tensor]) -> Tensor) -> Double {
    for input in inputs { input.requiresGrad = true }
    let output = body(inputs)
    let probe = Tensor.normal(output.shape, generator: Generator(seed: 99), dtype: .float64)
    let found = gradients(of: (output * probe).sum(), withRespectTo: inputs)
    var worst = 0.0
    for (index, input) in inputs.enumerated() {
        let values = input.doubles()
        let gradient = found[index]?.doubles() ?? [Double](repeating: 0, count: values.count)
        for element in values.indices {
            func value(_ step: Double) -> Double {
                var moved = values
                moved[element] += step
                var arguments = inputs.map { $0.detach() }
                arguments[index] = Tensor(moved, shape: input.shape)
                return withoutGradients { (body(arguments) * probe).sum().item() }
            }
            let slope = (value(1e-5) - value(-1e-5)) / 2e-5
            worst = max(worst, abs(slope - gradient[element]) / max(1, abs(slope)))
        }
    }
    return worst
}

/// Random numbers in float64.
func gaussian(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
    .normal(shape, generator: Generator(seed: seed), dtype: .float64)
}
