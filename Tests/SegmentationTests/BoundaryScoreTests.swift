import Images
import Segmentation
import Testing

@Suite struct BoundaryScoreTests {
    /// Columns of 0 up to `edge`, of 1 from there on.
    private func halves(_ edge: Int, width: Int = 20, height: Int = 10) -> Mask {
        Mask(width: width, height: height, labels: (0..<width * height).map { $0 % width < edge ? 0 : 1 })
    }

    @Test func byHand() {
        // The diagonal is 22.4 pixels: 0.05 of it is one pixel, 0.1 are two.
        var near = BoundaryScore(classes: 3, tolerance: 0.05)
        near.add(labels: halves(10), prediction: halves(10))
        #expect(near.fScore(0) == 1 && near.fScore(1) == 1 && near.fScore(2) == nil && near.mean == 1)
        var off = BoundaryScore(classes: 3, tolerance: 0.05)
        off.add(labels: halves(10), prediction: halves(12))
        #expect(off.fScore(0) == 0 && off.mean == 0)
        var wide = BoundaryScore(classes: 3, tolerance: 0.1)
        wide.add(labels: halves(10), prediction: halves(12))
        #expect(wide.mean == 1)
        // An image that is met and one that is not: precision and recall are a half, over all pixels.
        near.add(labels: halves(10), prediction: halves(14))
        #expect(near.fScore(0) == 0.5)
    }

    @Test func ignoredPixelsMakeNoBoundary() {
        var labels = halves(10)
        for y in 0..<10 { for x in 8..<12 { labels[x, y] = Mask.ignored } }
        var score = BoundaryScore(classes: 2, tolerance: 0.05)
        score.add(labels: labels, prediction: halves(10))
        #expect(score.fScore(0) == nil && score.mean == 0)
    }

    @Test func equalsALiteralCount() {
        var random = RandomStream(seed: 8)
        func noise() -> Mask {
            Mask(width: 13, height: 9, labels: (0..<117).map { _ in UInt8([0, 0, 1, 2, 255][random.below(5)]) })
        }
        let labels = noise()
        let prediction = Mask(width: 13, height: 9, labels: (0..<117).map { _ in UInt8(random.below(3)) })
        // 0.13 of a diagonal of 15.8 is 2.05: two pixels.
        var score = BoundaryScore(classes: 3, tolerance: 0.13)
        score.add(labels: labels, prediction: prediction)
        func at(_ mask: Mask, _ x: Int, _ y: Int) -> UInt8? {
            guard (0..<13).contains(x) && (0..<9).contains(y) && labels[x, y] != 255 else { return nil }
            return mask[x, y]
        }
        func boundary(_ mask: Mask, _ label: UInt8) -> [(Int, Int)] {
            (0..<117).map { ($0 % 13, $0 / 13) }.filter { x, y in
                at(mask, x, y) == label
                    && [(1, 0), (-1, 0), (0, 1), (0, -1)].contains { at(mask, x + $0.0, y + $0.1) ?? label != label }
            }
        }
        for label in UInt8(0)..<3 {
            let (found, wanted) = (boundary(prediction, label), boundary(labels, label))
            func met(_ a: [(Int, Int)], _ b: [(Int, Int)]) -> Double {
                Double(a.count { p in b.contains { ($0.0 - p.0) * ($0.0 - p.0) + ($0.1 - p.1) * ($0.1 - p.1) <= 4 } })
                    / Double(a.count)
            }
            let (precision, recall) = (met(found, wanted), met(wanted, found))
            #expect(abs((score.fScore(Int(label)) ?? 0) - 2 * precision * recall / (precision + recall)) < 1e-12)
        }
    }
}
