import Datasets
import Experiments
import Segmentation
import Testing

/// Figures of images, and how far their mean may be off.
@Suite struct ImageScoreTests {
    private func score(_ counts: [Int]) -> ImageScore {
        ImageScore(Sample(name: "x", image: "x", mask: nil), ConfusionMatrix(classes: 2, counts: counts))
    }

    @Test func sumsAreThoseOfTheMatrix() {
        let parts = [[5, 1, 2, 8], [0, 0, 4, 6], [9, 1, 0, 0]]
        var whole = ConfusionMatrix(classes: 2)
        for part in parts { whole.merge(ConfusionMatrix(classes: 2, counts: part)) }
        #expect(abs(parts.map(score).mIOU - whole.mIOU) < 1e-12)
        #expect(abs(score(parts[0]).mIOU - (5.0 / 8 + 8.0 / 11) / 2) < 1e-12)
        #expect(score([0, 0, 0, 0]).mIOU == 1)
    }

    @Test func intervalHoldsTheMeanAndShrinks() throws {
        let few = (0..<6).map { score([20, 10 * $0, 5, 30]) }
        let interval = try #require(few.bootstrapInterval(seed: 1))
        #expect(interval.contains(few.mIOU))
        let many = Array(repeating: few, count: 30).flatMap { $0 }
        let narrow = try #require(many.bootstrapInterval(seed: 1))
        let (wide, small) = (interval.upperBound - interval.lowerBound, narrow.upperBound - narrow.lowerBound)
        // Thirty times as many: about the root of thirty.
        #expect((3.5...8.5).contains(wide / small), "\(wide) \(small)")
        #expect(few.bootstrapInterval(seed: 1) == interval)
        #expect(Array(few.prefix(1)).bootstrapInterval(seed: 1) == nil)
        let same = Array(repeating: score([5, 1, 2, 8]), count: 9)
        let point = try #require(same.bootstrapInterval(seed: 1))
        #expect(abs(point.lowerBound - point.upperBound) < 1e-12)
    }
}
