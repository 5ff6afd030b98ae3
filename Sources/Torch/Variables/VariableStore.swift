/// What a parameter is, which decides who trains it and whether it decays; other libraries add their own kinds.
public struct ParameterKind: RawRepresentable, Hashable, Sendable {
    /// The kind's name.
    public let rawValue: String

    /// A kind by its name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Kernel of a convolution.
    public static let convolution = ParameterKind(rawValue: "convolution")
    /// Scale or shift of a batch normalisation.
    public static let normalization = ParameterKind(rawValue: "normalization")
    /// Bias of a convolution.
    public static let bias = ParameterKind(rawValue: "bias")
}

/// A tensor with the name that it has in files.
public struct Variable {
    /// Dotted name, for example `stem.conv1.weight`.
    public let name: String
    /// The numbers.
    public let tensor: Tensor
    /// What it is; nil for buffers, which are not trained.
    public let kind: ParameterKind?

    /// A name for a tensor.
    public init(name: String, tensor: Tensor, kind: ParameterKind?) {
        self.name = name
        self.tensor = tensor
        self.kind = kind
    }
}

/// Names and owns the tensors of a network, in the order in which its modules ask for them.
public final class VariableStore {
    /// Draws first values.
    public let generator: Generator
    /// Kind of the parameters.
    public let dtype: DType
    /// Where they live.
    public let device: Device
    /// What is trained.
    public private(set) var parameters: [Variable] = []
    /// What is kept but not trained: running statistics.
    public private(set) var buffers: [Variable] = []
    private var names: Set<String> = []
    private let draws: Bool

    /// An empty store.
    public init(generator: Generator, dtype: DType = .float32, device: Device = .cpu) {
        self.generator = generator
        self.dtype = dtype
        self.device = device
        draws = true
    }

    /// A store whose parameters have their shapes but no memory, for a network of which nothing is computed.
    package init(shapesFor device: Device) {
        generator = Generator(seed: 0)
        dtype = .float32
        self.device = device
        draws = false
    }

    /// The place that top-level names hang on.
    public var root: Path { Path(store: self, name: "") }

    /// Number of trained values.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

    /// Everything by name; the tensors are the store's own.
    public var state: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: (parameters + buffers).map { ($0.name, $0.tensor) })
    }

    /// Overwrites all tensors by a saved state.
    ///
    /// - Throws: ``TorchError`` if a name is missing, unknown, or has another shape; nothing is changed then.
    public func load(_ saved: [String: Tensor]) throws {
        let own = parameters + buffers
        for variable in own {
            guard let tensor = saved[variable.name] else {
                throw TorchError("\(variable.name): missing in the file; it belongs to another network")
            }
            guard tensor.shape == variable.tensor.shape else {
                throw TorchError(
                    "\(variable.name): shape \(tensor.shape) in the file, \(variable.tensor.shape) in the network")
            }
        }
        if let extra = saved.keys.sorted().first(where: { !names.contains($0) }) {
            throw TorchError("\(extra): unknown to the network; the file belongs to another one")
        }
        withoutGradients {
            for variable in own {
                if let tensor = saved[variable.name] { variable.tensor.copy(from: tensor) }
            }
        }
    }

    fileprivate func addParameter(_ name: String, _ shape: [Int], _ initializer: Initializer, _ kind: ParameterKind)
        -> Tensor
    {
        let tensor =
            draws
            ? laidForConvolutions(
                initializer.draw(shape, generator: generator, dtype: dtype, device: device), of: kind)
            : Tensor.zeros([1], dtype: dtype, device: device).expand(shape)
        tensor.requiresGrad = true
        register(name)
        parameters.append(Variable(name: name, tensor: tensor, kind: kind))
        return tensor
    }

    /// A kernel as convolutions of maps that lie channels last want it, who would copy it in each pass, forward and back.
    private func laidForConvolutions(_ tensor: Tensor, of kind: ParameterKind) -> Tensor {
        let shape = tensor.shape
        // With one channel, or one pixel, both orders are the same.
        return kind == .convolution && shape.count == 4 && shape[1] > 1 && shape[2] * shape[3] > 1
            ? tensor.channelsLast() : tensor
    }

    fileprivate func addBuffer(_ name: String, _ shape: [Int], _ value: Double) -> Tensor {
        let tensor = Tensor.full(value, shape, dtype: dtype, device: device)
        register(name)
        buffers.append(Variable(name: name, tensor: tensor, kind: nil))
        return tensor
    }

    private func register(_ name: String) {
        precondition(names.insert(name).inserted, "two variables named \(name)")
    }
}

/// A place in the tree of names.
public struct Path {
    fileprivate let store: VariableStore
    /// Dotted name so far.
    public let name: String

    /// A place below this one.
    public static func / (path: Path, part: String) -> Path {
        Path(store: path.store, name: path.name.isEmpty ? part : path.name + "." + part)
    }

    /// A place below this one.
    public static func / (path: Path, part: Int) -> Path { path / String(part) }

    /// What has been made below this place, by the names below it.
    package var variables: [String: Tensor] {
        let prefix = name.isEmpty ? "" : name + "."
        let own = (store.parameters + store.buffers).filter { $0.name.hasPrefix(prefix) }
        return Dictionary(uniqueKeysWithValues: own.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) })
    }

    /// Makes a trained tensor.
    public func parameter(
        _ name: String, shape: [Int], initializer: Initializer, kind: ParameterKind
    ) -> Tensor {
        store.addParameter((self / name).name, shape, initializer, kind)
    }

    /// Makes a kept but untrained tensor.
    public func buffer(_ name: String, shape: [Int], value: Double) -> Tensor {
        store.addBuffer((self / name).name, shape, value)
    }
}
