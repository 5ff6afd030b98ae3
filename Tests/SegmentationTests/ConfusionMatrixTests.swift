import Foundation
import Segmentation
import Testing

@Suite struct ConfusionMatrixTests {
    // Worked out by hand. Labels 0 0 0 1 1 2 255 and predictions 0 0 1 1 0 2 1 of four classes:
    //   matrix rows (labels)  [2 1 0 0] [1 1 0 0] [0 0 1 0] [0 0 0 0]
    //   IoU 2/4, 1/3, 1/1, absent; accuracy 2/3, 1/2, 1, absent; 4 of 6 pixels right.
    private var matrix: ConfusionMatrix {
        var matrix = ConfusionMatrix(classes: 4)
        matrix.add(labels: [0, 0, 0, 1], predictions: [0, 0, 1, 1])
        var rest = ConfusionMatrix(classes: 4)
        rest.add(labels: [1, 2, 255], predictions: [0, 2, 1])
        matrix.merge(rest)
        return matrix
    }

    private func close(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) < 1e-12 }

    @Test func figures() {
        let matrix = matrix
        #expect(matrix.counts == [2, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
        #expect(matrix.iou == [0.5, 1.0 / 3, 1, nil])
        #expect(close(matrix.mIOU, (0.5 + 1.0 / 3 + 1) / 3))
        #expect(close(matrix.pixelAccuracy, 4.0 / 6))
        #expect(close(matrix.meanAccuracy, (2.0 / 3 + 0.5 + 1) / 3))
        #expect(close(matrix.frequencyWeightedIOU, 3.0 / 6 * 0.5 + 2.0 / 6 / 3 + 1.0 / 6))
        #expect(matrix.total == 6 && matrix.labelled(0) == 3 && matrix.predicted(0) == 3)
    }

    @Test func predictedButUnlabelledCounts() {
        var matrix = ConfusionMatrix(classes: 3)
        matrix.add(labels: [0, 0], predictions: [0, 2])
        #expect(matrix.iou == [0.5, nil, 0])
        #expect(matrix.mIOU == 0.25)
        #expect(matrix.meanAccuracy == 0.5)
    }

    @Test func emptyIsZero() {
        var matrix = ConfusionMatrix(classes: 2)
        matrix.add(labels: [255], predictions: [1])
        #expect(matrix.mIOU == 0 && matrix.pixelAccuracy == 0 && matrix.meanAccuracy == 0)
        #expect(matrix.frequencyWeightedIOU == 0)
    }

    @Test("A reward is of labelled classes, with or without the background")
    func reward() {
        // IoU 1/2, 1/3, 1 with 3, 2 and 1 pixels, accuracy 2/3, 1/2, 1.
        let (iou, weighted, accuracy) = (11.0 / 18, (1.5 + 2.0 / 3 + 1) / 6, 13.0 / 18)
        #expect(close(matrix.reward(), pow(iou * weighted * accuracy, 1.0 / 3)))
        #expect(close(matrix.reward(leavingOut: 0), pow(2.0 / 3 * ((2.0 / 3 + 1) / 3) * 0.75, 1.0 / 3)))
        #expect(close(matrix.reward(leavingOut: 3), matrix.reward()))
        // A class that is predicted and nowhere labelled is absent.
        var other = ConfusionMatrix(classes: 3)
        other.add(labels: [0, 0, 1], predictions: [0, 2, 1])
        #expect(close(other.reward(), pow(0.75 * (2.0 / 3 * 0.5 + 1.0 / 3) * 0.75, 1.0 / 3)))
        #expect(ConfusionMatrix(classes: 2).reward() == 0)
        #expect(close(other.reward(leavingOut: 1), 0.5))
    }

    @Test func survivesJSON() throws {
        let stored = try JSONEncoder().encode(matrix)
        #expect(try JSONDecoder().decode(ConfusionMatrix.self, from: stored) == matrix)
    }
}
