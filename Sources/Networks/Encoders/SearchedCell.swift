import SearchSpace
import Torch

/// The cell of a searched decoder, with weights of its own.
///
/// Variables: those of a ``SearchedOperation`` below `node0`, and below `nodeJ.first` and `nodeJ.second` for node J.
final class SearchedCell {
    private let name: String
    private let genotype: DecoderCell
    private let first: SearchedOperation
    private let nodes: [[SearchedOperation]]

    init(_ path: Path, _ layout: SearchedDecoderLayout, normalization: Normalization) {
        func operation(_ path: Path, _ operation: DecoderOperation) -> SearchedOperation {
            SearchedOperation(path, operation, layout, normalization: normalization)
        }
        name = path.name
        genotype = layout.genotype.cell
        first = operation(path / "node0", genotype.first)
        nodes = genotype.nodes.enumerated().map { index, node in
            zip(["first", "second"], node.branches).map { operation(path / "node\(index + 1)" / $0, $1.operation) }
        }
    }

    /// `[N, A, h, w]` to as many.
    func callAsFunction<Backend: ForwardBackend>(
        _ x: Backend.Map, stride: Int, on backend: Backend
    ) -> Backend.Map {
        var positions = [x, first(x, stride: stride, on: backend)]
        for (index, (node, operations)) in zip(genotype.nodes, nodes).enumerated() {
            let branches = zip(node.branches, operations).map { branch, operation in
                operation(positions[branch.position], stride: stride, on: backend)
            }
            positions += branches
            positions.append(backend.add(branches[0], branches[1], named: "\(name).node\(index + 1)"))
        }
        let loose = genotype.loosePositions.map { positions[$0] }
        return loose.dropFirst().enumerated().reduce(loose[0]) {
            backend.add($0, $1.element, named: "\(name).sum\($1.offset + 1)")
        }
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for operation in [first] + nodes.joined() { operation.fold() }
    }
}

/// An operation of a searched decoder's cell.
///
/// Variables: `conv.weight`, `norm.*`; separable ones below `pairP` for pair P, counted from 1, `depthwise.weight` too.
final class SearchedOperation {
    private let name: String
    private let channels: Int
    private let form: DecoderOperation.Form
    /// Each unit with the depthwise convolution before it, which has no normalisation, where there is one.
    private let units: [(depthwise: Conv2d?, unit: ConvBNReLU)]

    init(
        _ path: Path, _ operation: DecoderOperation, _ layout: SearchedDecoderLayout, normalization: Normalization
    ) {
        name = path.name
        channels = layout.channels
        form = operation.form
        let convolutions = operation.convolutions(channels: layout.channels, repeats: layout.repeats)
        if case .separable = operation.form {
            units = stride(from: 0, to: convolutions.count, by: 2).map { index in
                let place = path / "pair\(index / 2 + 1)"
                return (
                    Conv2d(place / "depthwise", convolutions[index]),
                    ConvBNReLU(place, convolutions[index + 1], normalization: normalization)
                )
            }
        } else {
            units = convolutions.map { (nil, ConvBNReLU(path, $0, normalization: normalization)) }
        }
    }

    /// `[N, A, h, w]` to as many.
    func callAsFunction<Backend: ForwardBackend>(
        _ x: Backend.Map, stride: Int, on backend: Backend
    ) -> Backend.Map {
        func zeros() -> Backend.Map {
            backend.zeros(channels: channels, stride: stride, like: x, named: name + ".zeros")
        }
        func convolved(_ x: Backend.Map) -> Backend.Map {
            units.reduce(x) { x, part in
                part.unit(part.depthwise.map { backend.convolve(x, by: $0) } ?? x, on: backend)
            }
        }
        switch form {
        case .conv, .separable: return convolved(x)
        // The pixel, added to a whole map of zeros, is spread over it.
        case .globalPool: return backend.add(zeros(), convolved(backend.mean(x, named: name + ".mean")), named: name)
        case .skip: return x
        case .none: return zeros()
        }
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for part in units { part.unit.fold() }
    }
}
