import SearchSpace
import Torch

/// One operator with its own input, at the stride that the cell's move asks for.
final class DiscreteBranch {
    /// The operator and its input.
    let branch: Branch
    private let name: String
    private let stride: Int
    private let cellStride: Int
    private let units: [PreActivatedUnit]

    init(_ path: Path, _ branch: Branch, in cell: CellLayout, of network: NetworkLayout, normalization: Normalization) {
        self.branch = branch
        name = path.name
        stride = cell.operatorStride(of: branch.input)
        cellStride = cell.stride.rawValue
        units = PreActivatedUnit.units(
            path, network.convolutions(of: branch, in: cell), normalization: normalization)
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in units { unit.fold() }
    }

    /// Applies the operator to its input among the cell's states; nil where it gives nothing, and reads nothing.
    func callAsFunction<Backend>(
        reading state: (CellInput) -> CachedFeatureMap<Backend>, on backend: Backend
    ) -> Backend.Map? {
        switch branch.op.form {
        case .none: nil
        case .skip where stride == 1: state(branch.input).value
        case .pool(let pool, let kernel):
            state(branch.input).pooled(pool, kernelSize: kernel, stride: stride, named: name)
        // A strided atrous convolution has stride 1 itself: its input is resized.
        case .atrous where stride > 1: convolve(state(branch.input).rectified(atStride: cellStride), on: backend)
        case .separable, .atrous, .skip: convolve(state(branch.input).rectified, on: backend)
        }
    }

    private func convolve<Backend: ForwardBackend>(_ rectified: Backend.Map, on backend: Backend) -> Backend.Map {
        units.dropFirst().reduce(units[0](rectified: rectified, on: backend)) {
            $1(rectified: backend.rectify($0), on: backend)
        }
    }
}
