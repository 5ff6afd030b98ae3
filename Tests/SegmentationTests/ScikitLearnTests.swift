import Foundation
import Segmentation
import TestSupport
import Testing

/// The matrix and its figures against scikit-learn's.
@Suite(.enabled(if: Python.has("sklearn", "numpy"), "there is no .venv with scikit-learn: run scripts/setup.sh --venv"))
struct ScikitLearnTests {
    @Test func figures() throws {
        var random = RandomStream(seed: 12)
        let labels = (0..<5_000).map { _ in [0, 1, 1, 2, 3, 4, 5, 255][random.below(8)] as UInt8 }
        let predictions = labels.map { $0 != 255 && random.below(3) > 0 ? $0 : UInt8(random.below(6)) }
        var matrix = ConfusionMatrix(classes: 7)
        matrix.add(labels: labels, predictions: predictions)
        let folder = try TemporaryFolder()
        try Data(labels).write(to: URL(fileURLWithPath: folder.place("labels")))
        try Data(predictions).write(to: URL(fileURLWithPath: folder.place("predictions")))
        let output = try Python.run(
            """
            import sys, numpy, json
            from sklearn.metrics import confusion_matrix, jaccard_score, accuracy_score, balanced_accuracy_score
            y, p = (numpy.fromfile(f, 'uint8') for f in sys.argv[1:])
            y, p = y[y != 255], p[y != 255]
            print(json.dumps([confusion_matrix(y, p, labels=range(7)).ravel().tolist(),
                              jaccard_score(y, p, average='macro'), jaccard_score(y, p, average='weighted'),
                              accuracy_score(y, p), balanced_accuracy_score(y, p)]))
            """, folder.place("labels"), folder.place("predictions"))
        let found = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [Any])
        #expect(found[0] as? [Int] == matrix.counts)
        let own = [matrix.mIOU, matrix.frequencyWeightedIOU, matrix.pixelAccuracy, matrix.meanAccuracy]
        for (other, own) in zip(found.dropFirst(), own) { #expect(abs((other as? Double ?? -1) - own) < 1e-12) }
    }
}
