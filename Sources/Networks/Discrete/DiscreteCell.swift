import SearchSpace
import Torch

/// The cell of one layer (paper 3.1, in the discrete form of ALGORITHM 8).
final class DiscreteCell {
    /// What the cell reads and at which sizes it works.
    let layout: CellLayout
    private let name: String
    private let previousProjection: PreActivatedUnit
    private let previous2Projection: PreActivatedUnit?
    private let blocks: [[DiscreteBranch]]

    init(_ path: Path, _ layout: CellLayout, of network: NetworkLayout, normalization: Normalization) {
        self.layout = layout
        name = path.name
        previousProjection = PreActivatedUnit(
            path / "previous", [layout.previousProjection], normalization: normalization)
        previous2Projection = layout.previous2Projection.map {
            PreActivatedUnit(path / "previous2", [$0], normalization: normalization)
        }
        blocks = network.genotype.cell.blocks.enumerated().map { index, block in
            zip(["first", "second"], block.branches).map { name, branch in
                DiscreteBranch(
                    path / "block\(index + 1)" / name, branch, in: layout, of: network, normalization: normalization)
            }
        }
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in [previousProjection] + (previous2Projection.map { [$0] } ?? []) { unit.fold() }
        for branch in blocks.joined() { branch.fold() }
    }

    /// The cell's output `[N, B F s / 4, ceil(H / s), ceil(W / s)]`.
    ///
    /// - Parameters:
    ///   - previous: H^{l-1}, at its own size.
    ///   - previous2: H^{l-2}, or the map that a long skip brings in its place, at its own size.
    ///   - backend: What computes.
    /// - Returns: The blocks, one behind the other, and H^{l-1} added to them in a cell with a residual connection.
    func callAsFunction<Backend>(
        previous: CachedFeatureMap<Backend>, previous2: CachedFeatureMap<Backend>, on backend: Backend
    ) -> CachedFeatureMap<Backend> {
        // Lazy, since a cell need not read both.
        lazy var entered = enter(previous, resizes: layout.resizesPrevious, by: previousProjection, on: backend)
        lazy var entered2 = enter(previous2, resizes: layout.resizesPrevious2, by: previous2Projection, on: backend)
        var outputs: [CachedFeatureMap<Backend>] = []
        func state(_ input: CellInput) -> CachedFeatureMap<Backend> {
            switch input {
            case .previous: entered
            case .previous2: entered2
            case .block(let number): outputs[number - 1]
            }
        }
        let droppable = blocks.joined().count { $0.branch.op.isDroppable }
        var dropped = 0
        for (index, block) in blocks.enumerated() {
            let terms = block.compactMap { branch -> Backend.Map? in
                guard let term = branch(reading: state, on: backend) else { return nil }
                guard branch.branch.op.isDroppable else { return term }
                dropped += 1
                return backend.dropPath(term, cell: layout.layer - 1, branch: dropped - 1, of: droppable)
            }
            let sum = add(terms, like: previous.value, "\(name).block\(index + 1)", on: backend)
            outputs.append(CachedFeatureMap(sum, on: backend))
        }
        let joined = backend.join(outputs.map(\.value), named: name)
        return CachedFeatureMap(
            layout.isResidual ? backend.add(joined, previous.value, named: "\(name).residual") : joined, on: backend)
    }

    private func enter<Backend>(
        _ map: CachedFeatureMap<Backend>, resizes: Bool, by projection: PreActivatedUnit?, on backend: Backend
    ) -> CachedFeatureMap<Backend> {
        // A map that is not resized stays itself, so that its ReLU stays shared.
        let resized =
            resizes
            ? CachedFeatureMap(backend.resize(map.value, toStride: layout.inputStride.rawValue), on: backend) : map
        return projection.map { CachedFeatureMap($0(rectified: resized.rectified, on: backend), on: backend) }
            ?? resized
    }

    /// Notes what the cell does whatever its branches are: its inputs enter, every state goes through ReLU, blocks are sums,
    /// and the output is their concatenation.
    func recordFrame(
        previous: MapShape, previous2: MapShape, output: MapShape, on recorder: OperationRecorder
    ) {
        func map(_ shape: MapShape) -> CachedFeatureMap<OperationRecorder> { CachedFeatureMap(shape, on: recorder) }
        _ = enter(map(previous), resizes: layout.resizesPrevious, by: previousProjection, on: recorder).rectified
        _ = enter(map(previous2), resizes: layout.resizesPrevious2, by: previous2Projection, on: recorder).rectified
        let block = MapShape(channels: layout.blockChannels, height: output.height, width: output.width)
        for number in blocks.indices {
            _ = recorder.add(block, block, named: name)
            // The last block is no state of the cell.
            if number < blocks.count - 1 { _ = recorder.rectify(block) }
        }
        let joined = recorder.join(blocks.map { _ in block }, named: name)
        if layout.isResidual { _ = recorder.add(joined, previous, named: name) }
    }

    private func add<Backend: ForwardBackend>(
        _ terms: [Backend.Map], like map: Backend.Map, _ name: String, on backend: Backend
    ) -> Backend.Map {
        guard let first = terms.first else {
            return backend.zeros(channels: layout.blockChannels, stride: layout.stride.rawValue, like: map, named: name)
        }
        return terms.dropFirst().reduce(first) { backend.add($0, $1, named: name) }
    }
}
