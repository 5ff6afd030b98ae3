import Networks
import SearchSpace
import Testing
import Torch

@Suite("Auxiliary heads")
struct AuxiliaryHeadsTests {
    @Test("Each gives scores at the images' size from its layer's map, and its gradient reaches no later layer")
    func scores() {
        let network = network(.random(seed: 3, layers: 4, blocks: 2, operators: [.separable3x3, .skip]))
        let count = network.store.parameters.count
        let heads = AuxiliaryHeads(layers: [2, 3], of: network, generator: Generator(seed: 5))
        // The trained network has nothing of them.
        #expect(network.store.parameters.count == count)
        #expect(heads.store.state.keys.sorted().prefix(2) == ["auxiliary.2.conv.weight", "auxiliary.2.logits.bias"])
        var maps: [Int: Tensor] = [:]
        let x = images([2, 3, 41, 50])
        _ = network.forward(x, mode: .training) { layer, map in maps[layer] = map }
        let found = heads(maps, height: 41, width: 50, mode: .training)
        #expect(found.map(\.shape) == [[2, 3, 41, 50], [2, 3, 41, 50]])
        // The class layer begins near 0, so a probe of random weights stands for a loss.
        let probe = Tensor.normal(found[0].shape, generator: Generator(seed: 6), dtype: .float64)
        let parameters = network.store.parameters
        let reached = gradients(of: (found[0] * probe).sum(), withRespectTo: parameters.map(\.tensor))
        func isReached(_ prefix: String) -> Bool {
            zip(parameters, reached).contains { parameter, gradient in
                parameter.name.hasPrefix(prefix) && gradient?.doubles().contains { $0 != 0 } == true
            }
        }
        #expect(isReached("stem.1") && isReached("cells.2."))
        #expect(!isReached("cells.3.") && !isReached("cells.4.") && !isReached("aspp") && !isReached("decoder"))
    }
}
