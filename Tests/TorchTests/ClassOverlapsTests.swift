import Testing
import Torch

/// Sums of probabilities by label, which have a loop of their own, pixel by pixel in plain numbers.
@Suite("Overlaps of classes") struct ClassOverlapsTests {
    /// One pixel; less than a block; several blocks and a rest; some dozen parts for threads.
    static let shapes = [[1, 2, 1, 1], [2, 3, 5, 7], [1, 5, 40, 41], [3, 12, 193, 65]]

    /// Labels of all classes, ignored ones, and some that are no class.
    private func labels(_ shape: [Int], ignored: Int64) -> [Int64] {
        let classes = Int64(shape[1])
        return (0..<shape[0] * shape[2] * shape[3]).map { place in
            let mixed = Int64(place * 7_919 % 1_009)
            return mixed % 5 == 0 ? ignored : mixed % 97 == 1 ? classes : mixed % 89 == 1 ? 1 << 40 : mixed % classes
        }
    }

    @Test(arguments: shapes, [DType.float32, .float64])
    func sums(shape: [Int], dtype: DType) {
        let (images, classes, pixels) = (shape[0], shape[1], shape[2] * shape[3])
        let probabilities = gaussian(shape, seed: 3).to(dtype)
        probabilities.requiresGrad = true
        let values = probabilities.doubles()
        let slopes = gaussian([3, classes], seed: 4).to(dtype)
        let slope = slopes.doubles()
        for ignored in [255 as Int64, -1] {
            let own = labels(shape, ignored: ignored)
            var wanted = [Double](repeating: 0, count: 3 * classes)
            var gradient = [Double](repeating: 0, count: values.count)
            for place in values.indices {
                let (image, label) = (place / (classes * pixels), place / pixels % classes)
                let truth = own[image * pixels + place % pixels]
                let (isOwn, isLabelled) = (truth == label, truth != ignored)
                wanted[label] += isOwn ? values[place] : 0
                wanted[classes + label] += isLabelled ? values[place] : 0
                wanted[2 * classes + label] += isOwn ? 1 : 0
                gradient[place] = (isOwn ? slope[label] : 0) + (isLabelled ? slope[classes + label] : 0)
            }
            #expect(own.count == images * pixels)
            let map = Tensor(own, shape: [shape[0], shape[2], shape[3]])
            func found(threads: Int, _ probabilities: Tensor) -> [Double] {
                let before = Engine.threads
                defer { Engine.threads = before }
                Engine.threads = threads
                return classOverlaps(probabilities, labels: map, ignored: Int(ignored)).doubles()
            }
            let one = found(threads: 1, probabilities)
            let tolerance = dtype == .float32 ? 1e-4 : 1e-11
            #expect(zip(one, wanted).allSatisfy { abs($0 - $1) < tolerance * max(1, abs($1)) })
            #expect(found(threads: 2, probabilities) == one)
            #expect(found(threads: 1, probabilities.channelsLast()) == one)
            let overlaps = classOverlaps(probabilities, labels: map, ignored: Int(ignored))
            let back = gradients(of: (overlaps * slopes).sum(), withRespectTo: [probabilities])[0]?.doubles() ?? []
            #expect(back.count == gradient.count && zip(back, gradient).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }
}
