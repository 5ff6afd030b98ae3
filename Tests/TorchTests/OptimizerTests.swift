import Testing
import Torch

/// Optimizers and schedules against numbers worked out by hand.
@Suite struct OptimizerTests {
    private func variable(_ name: String = "w", _ values: [Double] = [1]) -> Variable {
        let tensor = Tensor(values, shape: [values.count])
        tensor.requiresGrad = true
        return Variable(name: name, tensor: tensor, kind: .convolution)
    }

    private func gradient(_ value: Double) -> [Tensor?] { [Tensor([value], shape: [1])] }

    /// Three steps with rate 0.1, momentum 0.9, decay 0.1, from w = 1.
    ///
    ///     g = 0.5 + 0.1 * 1      = 0.6       v = 0.6                          w = 1      - 0.06     = 0.94
    ///     g = 0.5 + 0.1 * 0.94   = 0.594     v = 0.54 + 0.594      = 1.134    w = 0.94   - 0.1134   = 0.8266
    ///     g = -1  + 0.1 * 0.8266 = -0.91734  v = 1.0206 - 0.91734  = 0.10326  w = 0.8266 - 0.010326 = 0.816274
    @Test func sgd() {
        let w = variable()
        let optimizer = SGD(groups: [ParameterGroup(parameters: [w], weightDecay: 0.1)], momentum: 0.9)
        for (gradient, wanted) in [(0.5, 0.94), (0.5, 0.8266), (-1, 0.816274)] {
            optimizer.step(self.gradient(gradient), rate: 0.1)
            #expect(isClose(w.tensor.doubles(), [wanted]))
        }
        #expect(isClose(optimizer.state["velocity.w"]?.doubles() ?? [], [0.10326]))
    }

    @Test func groupsDecayByThemselvesAndMissingGradientsAreZero() {
        let (w, b) = (variable(), variable("b"))
        let optimizer = SGD(
            groups: [
                ParameterGroup(parameters: [w], weightDecay: 0.1), ParameterGroup(parameters: [], weightDecay: 1),
                ParameterGroup(parameters: [b], weightDecay: 0),
            ], momentum: 0)
        optimizer.step([nil, nil], rate: 0.5)
        #expect(w.tensor.doubles() == [0.95] && b.tensor.doubles() == [1])
    }

    /// Three steps with rate 0.01, decay 0.1, betas 0.9 and 0.999, eps 1e-8, from w = 1.
    ///
    ///     g = 0.6          m = 0.06           v = 0.00036           w = 1 - 0.01 * 0.6 / (0.6 + eps)
    ///     g = -0.15100000  m = 0.0389         v = 0.00038244        w = 0.99    - 0.01 * 0.204737 / 0.437397
    ///     g = 1.09853192   m = 0.14486319     v = 0.00158883        w = 0.98532 - 0.01 * 0.534551 / 0.728107
    @Test func adam() {
        let w = variable()
        let optimizer = Adam([w], rate: 0.01, weightDecay: 0.1)
        let steps = [(0.5, 0.990_000_000_167), (-0.25, 0.985_319_199_306), (1, 0.977_977_554_764)]
        for (gradient, wanted) in steps {
            optimizer.step(self.gradient(gradient))
            #expect(isClose(w.tensor.doubles(), [wanted], 1e-11))
        }
    }

    /// Three steps with rate 0.01 for one group and half of it for the other, decay 0.1, from w = 1: as `adam`, but the
    /// decay takes `rate * decay` of w, and the moments are of the gradients 0.5, -0.25, 1 alone.
    ///
    ///     m / (1 - 0.9^t) = 0.5, 0.02 / 0.19, 0.118 / 0.271
    ///     v / (1 - 0.999^t) = 0.25, 0.00031225 / 0.001999, 0.00131193775 / 0.002997001
    @Test func adamw() {
        let (w, b) = (variable(), variable("b"))
        let optimizer = AdamW(groups: [
            ParameterGroup(parameters: [w], weightDecay: 0.1),
            ParameterGroup(parameters: [b], weightDecay: 0, rateFactor: 0.5),
        ])
        let means = [0.5, 0.02 / 0.19, 0.118 / 0.271]
        let squares = [0.25, 0.000_312_25 / 0.001_999, 0.001_311_937_75 / 0.002_997_001]
        var (wanted, plain) = (1.0, 1.0)
        for (step, gradient) in [0.5, -0.25, 1].enumerated() {
            optimizer.step(self.gradient(gradient) + self.gradient(gradient), rate: 0.01)
            let change = means[step] / (squares[step].squareRoot() + 1e-8)
            wanted = wanted * (1 - 0.01 * 0.1) - 0.01 * change
            plain -= 0.005 * change
            #expect(isClose(w.tensor.doubles(), [wanted], 1e-11))
            #expect(isClose(b.tensor.doubles(), [plain], 1e-11))
        }
    }

    /// Interrupted after two steps and gone on with, against not interrupted.
    @Test func stateGoesOn() throws {
        func run(_ interrupted: Bool) throws -> [Double] {
            let (w, a) = (variable("w", [1, 2, 3]), variable("a", [1, 2, 3]))
            var sgd = SGD(groups: [ParameterGroup(parameters: [w], weightDecay: 0.01)], momentum: 0.9)
            var adam = Adam([a], rate: 0.1, weightDecay: 0.01)
            let d = variable("d", [1, 2, 3])
            var adamw = AdamW(groups: [ParameterGroup(parameters: [d], weightDecay: 0.01)])
            for step in 0..<5 {
                if interrupted && step == 2 {
                    let saved = (sgd.state.mapValues { $0.clone() }, adam.state.mapValues { $0.clone() })
                    let decoupled = adamw.state.mapValues { $0.clone() }
                    adamw = AdamW(groups: [ParameterGroup(parameters: [d], weightDecay: 0.01)])
                    try adamw.load(decoupled)
                    sgd = SGD(groups: [ParameterGroup(parameters: [w], weightDecay: 0.01)], momentum: 0.9)
                    adam = Adam([a], rate: 0.1, weightDecay: 0.01)
                    try sgd.load(saved.0)
                    try adam.load(saved.1)
                }
                sgd.step([gaussian([3], seed: UInt64(step))], rate: 0.1)
                adam.step([gaussian([3], seed: UInt64(step) + 10)])
                adamw.step([gaussian([3], seed: UInt64(step) + 10)], rate: 0.1)
            }
            return w.tensor.doubles() + a.tensor.doubles() + d.tensor.doubles()
        }
        #expect(try run(true) == run(false))
    }

    @Test func statesOfOthersAreRefused() {
        let optimizer = SGD(groups: [ParameterGroup(parameters: [variable()], weightDecay: 0)], momentum: 0.9)
        #expect(throws: TorchError.self) { try optimizer.load([:]) }
        let other = SGD(groups: [ParameterGroup(parameters: [variable("v")], weightDecay: 0)], momentum: 0.9)
        #expect(throws: TorchError.self) { try optimizer.load(other.state) }
        let adam = Adam([variable()], rate: 0.1)
        #expect(throws: TorchError.self) { try adam.load(Adam([variable("w", [1, 2])], rate: 0.1).state) }
    }

    /// The fused kernels walk memory from end to end: a gradient in another layout must not be read in the wrong order.
    @Test(arguments: [true, false]) func layoutsOfGradients(parameterIsChannelsLast: Bool) {
        func run(_ arrange: (Tensor) -> Tensor) -> [Double] {
            func weight() -> Variable {
                let start = gaussian([3, 4, 5, 2])
                let tensor = parameterIsChannelsLast ? start.channelsLast() : start
                tensor.requiresGrad = true
                return Variable(name: "w", tensor: tensor, kind: .convolution)
            }
            let (w, a) = (weight(), weight())
            let sgd = SGD(groups: [ParameterGroup(parameters: [w], weightDecay: 0.01)], momentum: 0.9)
            let adam = Adam([a], rate: 0.1, weightDecay: 0.01)
            for step in 0..<3 {
                let gradient = arrange(gaussian([3, 4, 5, 2], seed: UInt64(step) + 2))
                sgd.step([gradient], rate: 0.1)
                adam.step([gradient])
            }
            return w.tensor.doubles() + a.tensor.doubles()
        }
        let wanted = run { $0 }
        #expect(run { $0.channelsLast() } == wanted)
        #expect(run { $0.permute([3, 1, 0, 2]).contiguous().permute([2, 1, 3, 0]) } == wanted)
        // The same by a loop over single elements.
        var (w, v) = (gaussian([3, 4, 5, 2]).doubles(), [Double](repeating: 0, count: 120))
        for step in 0..<3 {
            for (index, g) in gaussian([3, 4, 5, 2], seed: UInt64(step) + 2).doubles().enumerated() {
                v[index] = 0.9 * v[index] + g + 0.01 * w[index]
                w[index] -= 0.1 * v[index]
            }
        }
        #expect(isClose(Array(wanted.prefix(120)), w))
    }

    @Test func clipping() {
        let gradients: [Tensor?] = [Tensor([3, 0] as [Float], shape: [2]), nil, Tensor([4.0] as [Float], shape: [1])]
        #expect(totalNorm(of: gradients).item() == 5)
        clipGradients(gradients, norm: 5, to: 10)
        #expect(gradients[0]?.doubles() == [3, 0])
        clipGradients(gradients, norm: 5, to: 1)
        #expect(isClose(gradients[0]?.doubles() ?? [], [0.6, 0], 1e-6))
        #expect(isClose(gradients[2]?.doubles() ?? [], [0.8], 1e-6))
        #expect(totalNorm(of: [nil]).item() == 0)
        #expect(totalNorm(of: [gradients[0], Tensor([.nan] as [Float], shape: [1])]).item().isNaN)
        #expect(totalNorm(of: [Tensor([-.infinity] as [Float], shape: [1])]).item() == .infinity)
    }

    @Test func schedules() {
        let poly = Schedule(base: 0.05, total: 100, shape: .poly(power: 0.9))
        // 0.5^0.9 = 0.535886731...
        #expect(isClose([0, 50, 100].map(poly.rate), [0.05, 0.05 * 0.535_886_731_268_146_5, 0]))
        let cosine = Schedule(base: 0.025, total: 60, shape: .cosine(final: 0.001))
        #expect(isClose([0, 20, 30, 60, 70].map(cosine.rate), [0.025, 0.019, 0.013, 0.001, 0.001]))
        let constant = Schedule(base: 0.003, total: 7, shape: .constant)
        #expect([0, 5, 100].map(constant.rate) == [0.003, 0.003, 0.003])
        let warm = Schedule(base: 1, total: 10, shape: .constant, warmUp: 4)
        #expect((0..<6).map(warm.rate) == [0.25, 0.5, 0.75, 1, 1, 1])
    }
}
