import Images
import TestSupport
import Testing

/// Connected parts against a flood fill.
@Suite struct ConnectedPartsTests {
    @Test func byHand() {
        let mask = Mask(width: 5, height: 3, labels: [1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 255, 0, 2, 0, 1])
        // The ones: a diagonal of two, two side by side, one alone; the zeros hang together by corners.
        #expect(mask.connectedParts(classes: 3) == [1, 3, 1])
        #expect(mask.connectedParts(classes: 1) == [1])
    }

    @Test(arguments: 0..<20) func equalsFloodFill(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let (width, height) = (Int.random(in: 1...17, using: &random), Int.random(in: 1...17, using: &random))
        let labels = (0..<width * height).map { _ in UInt8(Int.random(in: 0..<3, using: &random)) }
        var seen = [Bool](repeating: false, count: labels.count)
        var counts = [0, 0, 0]
        for start in labels.indices where !seen[start] {
            counts[Int(labels[start])] += 1
            var open = [start]
            seen[start] = true
            while let pixel = open.popLast() {
                for row in max(0, pixel / width - 1)...min(height - 1, pixel / width + 1) {
                    for column in max(0, pixel % width - 1)...min(width - 1, pixel % width + 1) {
                        let other = row * width + column
                        guard !seen[other], labels[other] == labels[start] else { continue }
                        seen[other] = true
                        open.append(other)
                    }
                }
            }
        }
        #expect(Mask(width: width, height: height, labels: labels).connectedParts(classes: 3) == counts)
    }
}
