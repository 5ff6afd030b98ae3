import Foundation
import TestSupport
import Testing
import Torch

/// Memory on both sides of the border to the engine.
///
/// Other suites run at the same time in this process, so small numbers of tensors come and go.
@Suite(.serialized) struct LeakTests {
    /// A leak of every tensor would hold 3.2 GB.
    @Test func aHundredThousandTensors() {
        let x = Tensor.ones([8192])
        _ = x + 1
        let (tensors, memory) = (Engine.liveTensors, residentMegabytes())
        for _ in 0..<50_000 {
            let y = x + 1
            _ = y * 2
        }
        #expect(Engine.liveTensors - tensors < 20_000)
        #expect(residentMegabytes() - memory < 1000)
    }

    @Test func graphsAndOptimizers() {
        let store = VariableStore(generator: Generator(seed: 1))
        let conv = Conv2d(store.root / "conv", inputChannels: 4, outputChannels: 4, kernelSize: 3)
        let optimizer = SGD(groups: [ParameterGroup(parameters: store.parameters, weightDecay: 0)], momentum: 0.9)
        let x = Tensor.ones([2, 4, 128, 128])
        let (tensors, memory) = (Engine.liveTensors, residentMegabytes())
        for _ in 0..<600 {
            // Half a megabyte a map, a dozen maps a step: 3 GB if they stayed.
            let y = concatenate([conv(x), conv(x).relu()], dim: 1)
            let z = recompute([y], parameters: store.parameters.map(\.tensor), outputs: 1) { inputs, _ in
                [conv(inputs[0].narrow(1, start: 0, length: 4))]
            }
            optimizer.step(gradients(of: z[0].mean(), withRespectTo: store.parameters.map(\.tensor)), rate: 1e-6)
            _ = store.state
        }
        #expect(Engine.liveTensors - tensors < 4000)
        #expect(residentMegabytes() - memory < 1000)
    }
}
