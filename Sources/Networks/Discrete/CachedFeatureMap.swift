import SearchSpace

/// A map `[N, C, H, W]` and what several branches derive from it, each computed when first asked for and only once.
final class CachedFeatureMap<Backend: ForwardBackend> {
    /// The map as it is.
    let value: Backend.Map
    private let backend: Backend
    private var derived: [Derivation: Backend.Map] = [:]

    private enum Derivation: Hashable {
        case rectified
        case rectifiedAndResized(toStride: Int)
        case pooled(SearchSpace.Operator.Pool, kernelSize: Int, stride: Int)
    }

    init(_ value: Backend.Map, on backend: Backend) {
        self.value = value
        self.backend = backend
    }

    /// After ReLU.
    var rectified: Backend.Map { derive(.rectified) { backend.rectify(value) } }

    /// After ReLU and bilinear resizing, in this order: what a strided atrous convolution reads.
    func rectified(atStride stride: Int) -> Backend.Map {
        derive(.rectifiedAndResized(toStride: stride)) { backend.resize(rectified, toStride: stride) }
    }

    /// After a pool.
    func pooled(_ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String) -> Backend.Map {
        derive(.pooled(pool, kernelSize: kernelSize, stride: stride)) {
            backend.pool(value, pool, kernelSize: kernelSize, stride: stride, named: name)
        }
    }

    private func derive(_ derivation: Derivation, _ compute: () -> Backend.Map) -> Backend.Map {
        if let known = derived[derivation] { return known }
        let result = compute()
        derived[derivation] = result
        return result
    }
}
