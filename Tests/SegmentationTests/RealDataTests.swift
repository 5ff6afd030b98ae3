import Datasets
import Segmentation
import TestSupport
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

    /// Splits, their sizes, and the classes that occur in one of them, as the sets' own readers show them.
    @Test(
        .enabled(if: sharedData("VOCdevkit") != nil, "../shared/data/VOCdevkit is not there"),
        arguments: [
            ("VOCdevkit", Layout.voc, ["train", "val", "trainval"], [2, 2, 4], "2010_005582", [0, 5, 15, 255]),
            ("ADEChallengeData2016", .ade20k, ["val"], [3], "ADE_val_00000001", [0, 1, 2, 4, 6, 9, 17, 255]),
            (
                "cityscapes-mini", .cityscapes, ["val"], [1], "frankfurt_000000_000294",
                [0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 255]
            ),
        ])
    func otherLayouts(
        name: String, layout: Layout, splits: [String], counts: [Int], sample: String, labels: [UInt8]
    ) throws {
        let dataset = try Dataset(root: #require(sharedData(name)))
        #expect(dataset.layout == layout)
        #expect(dataset.splits.map(\.rawValue) == splits)
        #expect(try dataset.splits.map { try dataset.samples($0).count } == counts)
        let reader = SampleReader(labels: dataset.labels)
        let samples = try dataset.samples(.val)
        for other in samples { _ = try reader.read(other) }
        let mask = try reader.read(#require(samples.first { $0.name == sample })).mask
        #expect(Set(mask.labels).sorted() == labels)
    }
}
