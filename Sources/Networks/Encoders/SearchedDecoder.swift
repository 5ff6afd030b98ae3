import SearchSpace
import Torch

/// The decoder of a genotype (ALGORITHM 14).
///
/// Variables: `adapterS` at strides S = 4, 8, 16, 32; for block B, counted from 1, `blockB.first` and `blockB.second`, with
/// a ``SearchedCell``'s variables below each, and its `projection`; `output`, `logits`.
final class SearchedDecoder: FeatureDecoder {
    private let name: String
    private let genotype: DecoderGenotype
    private let adapters: [ConvBNReLU]
    private let blocks: [[Input]]
    private let output: ConvBNReLU
    private let logits: Conv2d

    /// One of the two maps that a block reads.
    private struct Input {
        let map: Int
        let cell: SearchedCell
        let projection: ConvBNReLU
    }

    init(_ path: Path, _ layout: SearchedDecoderLayout, normalization: Normalization) {
        name = path.name
        genotype = layout.genotype
        adapters = zip(SearchedDecoderLayout.strides, layout.adapters).map {
            ConvBNReLU(path / "adapter\($0)", $1, normalization: normalization)
        }
        blocks = layout.genotype.blocks.enumerated().map { index, block in
            zip(["first", "second"], block.maps).map { side, map in
                let place = path / "block\(index + 1)" / side
                return Input(
                    map: map, cell: SearchedCell(place, layout, normalization: normalization),
                    projection: ConvBNReLU(place / "projection", layout.projection, normalization: normalization))
            }
        }
        output = ConvBNReLU(path / "output", layout.output, normalization: normalization)
        logits = Conv2d(path / "logits", layout.logits)
    }

    func scores<Backend: ForwardBackend>(of features: [Int: Backend.Map], on backend: Backend) -> Backend.Map {
        scores(of: features, on: backend) { _, _ in }
    }

    func scores<Backend: ForwardBackend>(
        of features: [Int: Backend.Map], on backend: Backend, block: (Int, Backend.Map) -> Void
    ) -> Backend.Map {
        let strides = genotype.strides
        func resize(_ x: Backend.Map, to stride: Int) -> Backend.Map {
            backend.resize(x, toStride: stride, alignCorners: false)
        }
        // What no block reads is not computed.
        let read = Set(genotype.blocks.flatMap(\.maps))
        var maps: [Int: Backend.Map] = [:]
        for (index, adapter) in adapters.enumerated() where read.contains(index) {
            maps[index] = adapter(map(features, atStride: strides[index]), on: backend)
        }
        func at(_ index: Int) -> Backend.Map {
            guard let map = maps[index] else { preconditionFailure("\(name): no map \(index)") }
            return map
        }
        for (index, inputs) in blocks.enumerated() {
            let number = adapters.count + index
            let results = inputs.map { input in
                let result = input.cell(at(input.map), stride: strides[input.map], on: backend)
                return resize(input.projection(result, on: backend), to: strides[number])
            }
            let sum = backend.add(results[0], results[1], named: "\(name).block\(index + 1)")
            block(index, sum)
            maps[number] = sum
        }
        let loose = genotype.looseMaps.map { resize(at($0), to: genotype.stride) }
        let joined = loose.count == 1 ? loose[0] : backend.join(loose, named: name + ".joined")
        return backend.convolve(output(backend.rectify(joined), on: backend), by: logits)
    }

    func fold() {
        for unit in adapters + [output] { unit.fold() }
        for input in blocks.joined() {
            input.cell.fold()
            input.projection.fold()
        }
    }
}
