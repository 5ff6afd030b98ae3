import Datasets
import Segmentation
import TestSupport
import Testing

@Suite struct DemoScenesTests {
    @Test func scenesAreAnOrdinaryDataSet() throws {
        let folder = try TemporaryFolder()
        let scenes = DemoScenes(width: 64, height: 48, train: 5, val: 2, test: 3, seed: 4)
        try scenes.write(to: folder.path)
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .folders && dataset.splits == [.train, .val, .test])
        #expect(dataset.classes == DemoScenes.classes)
        #expect(try dataset.splits.map { try dataset.samples($0).count } == [5, 2, 3])
        let reader = SampleReader(labels: dataset.labels)
        let sample = try reader.read(dataset.samples(.val)[1])
        let (image, mask) = scenes.scene(.val, 1)
        #expect(sample.image == image && sample.mask == mask)
    }

    @Test func scenesFollowFromTheSeed() {
        let scenes = DemoScenes(width: 64, height: 48, seed: 4)
        #expect(scenes.scene(.train, 0).image == scenes.scene(.train, 0).image)
        let others = [
            DemoScenes(width: 64, height: 48, seed: 5).scene(.train, 0), scenes.scene(.train, 1),
            scenes.scene(.val, 0),
        ]
        for other in others { #expect(other.image != scenes.scene(.train, 0).image) }
    }

    @Test func everyClassIsThereInUsefulShares() {
        let scenes = DemoScenes(width: 128, height: 96)
        var pixels = [Int](repeating: 0, count: DemoScenes.classes.count)
        for index in 0..<30 { for label in scenes.scene(.train, index).mask.labels { pixels[Int(label)] += 1 } }
        let total = Double(pixels.reduce(0, +))
        for (name, count) in zip(DemoScenes.classes.names, pixels) {
            #expect((0.01...0.5).contains(Double(count) / total), "\(name): \(Double(count) / total)")
        }
    }
}
