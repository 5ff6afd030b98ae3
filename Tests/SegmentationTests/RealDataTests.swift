import Segmentation
import Testing

@Suite struct RealDataTests {
    @Test(.enabled(if: sharedData("camvid") != nil, "../shared/data/camvid is not there"))
    func camvid() throws {
        let root = try #require(sharedData("camvid"))
        let dataset = try Dataset(root: root, classes: ClassTable(count: 11), ignoring: [11])
        #expect(dataset.layout == .list)
        #expect(dataset.splits == [.train, .val, .test])
        let counts = try dataset.splits.map { try dataset.samples($0).count }
        #expect(counts == [367, 101, 233])
        let reader = SampleReader(labels: dataset.labels)
        let loader = EvaluationLoader(samples: try dataset.samples(.val), reader: reader, workers: 2)
        var seen = Set<UInt8>()
        while let item = try loader.next() {
            #expect(item.image.width == 480 && item.image.height == 360)
            seen.formUnion(item.mask.labels)
        }
        #expect(seen.isSubset(of: Set(0..<11).union([255])))
        let strict = try Dataset(root: root, classes: ClassTable(count: 11))
        let message = failure {
            let reader = SampleReader(labels: strict.labels)
            for sample in try strict.samples(.train) { _ = try reader.read(sample) }
        }
        #expect(message?.contains("has the label 11") == true)
    }

    @Test(.enabled(if: sharedData("nuclei") != nil, "../shared/data/nuclei is not there"))
    func nuclei() throws {
        let root = try #require(sharedData("nuclei"))
        let dataset = try Dataset(root: root, classes: ClassTable(names: ["background", "nucleus", "contour"]))
        let counts = try dataset.splits.map { try dataset.samples($0).count }
        #expect(counts == [465, 66, 133])
        let reader = SampleReader(labels: dataset.labels)
        for sample in try dataset.samples(.test) { _ = try reader.read(sample) }
    }
}
