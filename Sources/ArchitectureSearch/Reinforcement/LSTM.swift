import Torch

/// A recurrent network of long short-term memories on top of one another, a step at a time.
///
/// Its variables are those of PyTorch's `LSTM`: rows of the weights are the input, forget, cell and output gate in this
/// order, and each layer has two biases, which are added.
public struct LSTM {
    /// What a layer keeps from one step to the next, both `[1, hidden]`.
    public typealias State = (output: Tensor, cell: Tensor)

    private let hidden: Int
    private let weights: [(input: Tensor, recurrent: Tensor)]
    private let biases: [(input: Tensor, recurrent: Tensor)]

    /// Makes the variables.
    ///
    /// - Parameters:
    ///   - hidden: Values of inputs, outputs and cells.
    ///   - layers: How many lie on top of one another.
    ///   - initializer: How the variables' first values are drawn.
    ///   - kind: What the variables are.
    ///   - path: Where they are.
    public init(hidden: Int, layers: Int, initializer: Initializer, kind: ParameterKind, at path: Path) {
        self.hidden = hidden
        func pair(_ name: String, _ layer: Int, _ shape: [Int]) -> (Tensor, Tensor) {
            func make(_ part: String) -> Tensor {
                path.parameter("\(name)_\(part)_l\(layer)", shape: shape, initializer: initializer, kind: kind)
            }
            return (make("ih"), make("hh"))
        }
        weights = (0..<layers).map { pair("weight", $0, [4 * hidden, hidden]) }
        biases = (0..<layers).map { pair("bias", $0, [4 * hidden]) }
    }

    /// A pass from empty memories on, with the weights as they are.
    public func pass() -> Pass { Pass(self) }

    /// The memories of one pass.
    public struct Pass {
        private let hidden: Int
        /// Both weights of a layer side by side, `[2 * hidden, 4 * hidden]`, and the sum of its biases, `[4 * hidden]`.
        private let layers: [(weight: Tensor, bias: Tensor)]
        /// The memories, a layer each.
        public private(set) var states: [State]

        fileprivate init(_ network: LSTM) {
            hidden = network.hidden
            let dtype = network.biases[0].input.dtype
            // tanh(z) is 2 sigmoid(2 z) - 1: with the cell's rows doubled, all four gates are one sigmoid.
            let factor = concatenate(
                [(2 * hidden, 1.0), (hidden, 2), (hidden, 1)].map { Tensor.full($1, [$0], dtype: dtype) },
                dim: 0)
            layers = zip(network.weights, network.biases).map { weights, biases in
                let both = concatenate([weights.input, weights.recurrent], dim: 1).transpose(0, 1)
                // Of a sum of the two both gradients would be one tensor, which clipping in place would scale twice.
                return (both * factor, biases.input * factor + biases.recurrent * factor)
            }
            let zeros = Tensor.zeros([1, hidden], dtype: dtype)
            states = network.weights.map { _ in (zeros, zeros) }
        }

        /// One step.
        ///
        /// - Parameter input: `[1, hidden]`.
        /// - Returns: The output of the last layer, `[1, hidden]`.
        public mutating func step(_ input: Tensor) -> Tensor {
            var value = input
            for (index, layer) in layers.enumerated() {
                let (output, cell) = states[index]
                let gates = (concatenate([value, output], dim: 1).matmul(layer.weight) + layer.bias).sigmoid()
                func gate(_ place: Int) -> Tensor { gates.narrow(1, start: place * hidden, length: hidden) }
                let newCell = gate(1) * cell + gate(0) * (gate(2) * 2 - 1)
                value = gate(3) * ((newCell * 2).sigmoid() * 2 - 1)
                states[index] = (value, newCell)
            }
            return value
        }
    }
}
